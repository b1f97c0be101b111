// SPDX-License-Identifier: Apache-2.0
#include "support/wire.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <stdexcept>

namespace test {

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::optional<std::string> Headers::get(std::string_view name) const {
    for (const Header& h : *this)
        if (same_name(h.name, name)) return h.value;
    return std::nullopt;
}

std::vector<std::string> Headers::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const Header& h : *this)
        if (same_name(h.name, name)) values.push_back(h.value);
    return values;
}

namespace {

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

Header parse_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
        throw std::runtime_error("a field without a colon: " + std::string{line});
    return {std::string{line.substr(0, colon)}, std::string{trimmed(line.substr(colon + 1))}};
}

Head parse_head(std::string raw) {
    Head head{.raw = std::move(raw)};
    std::string_view rest = head.raw;
    for (bool first = true; !rest.starts_with("\r\n"); first = false) {
        const std::size_t end = rest.find("\r\n");
        const std::string_view line = rest.substr(0, end);
        if (line.find_first_of("\r\n") != std::string_view::npos)
            throw std::runtime_error("a bare CR or LF in a head");
        if (first)
            head.start_line = line;
        else
            head.headers.push_back(parse_field(line));
        rest.remove_prefix(end + 2);
    }
    return head;
}

/// What an OpenSSL call that did not succeed waits for; false when the connection is over.
bool wait_as_told(SSL* ssl, int result, int fd, Clock::time_point deadline, End& end) {
    switch (SSL_get_error(ssl, result)) {
        case SSL_ERROR_WANT_READ:
            if (wait_readable(fd, deadline)) return true;
            end = End::timeout;
            return false;
        case SSL_ERROR_WANT_WRITE:
            if (wait_writable(fd, deadline)) return true;
            end = End::timeout;
            return false;
        case SSL_ERROR_ZERO_RETURN:
            end = End::closed;
            return false;
        default:  // TCP's end without close_notify is a truncation
            end = End::reset;
            return false;
    }
}

}  // namespace

Wire::Wire(Fd fd, SSL* ssl) : fd_{std::move(fd)}, ssl_{ssl} {
    ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
}

bool Wire::send(std::string_view bytes) {
    const auto deadline = Clock::now() + timeout_;
    while (!bytes.empty()) {
        if (ssl_) {
            ERR_clear_error();
            const int n = SSL_write(ssl_.get(), bytes.data(),
                                    static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20)));
            End why = End::open;
            if (n > 0)
                bytes.remove_prefix(static_cast<std::size_t>(n));
            else if (!wait_as_told(ssl_.get(), n, fd_.get(), deadline, why))
                return false;
            continue;
        }
        const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n > 0)
            bytes.remove_prefix(static_cast<std::size_t>(n));
        else if (errno != EAGAIN || !wait_writable(fd_.get(), deadline))
            return false;
    }
    return true;
}

bool Wire::fill() {
    thread_local std::array<char, 65536> block;
    const auto deadline = Clock::now() + timeout_;
    while (end_ == End::open) {
        if (ssl_) {
            ERR_clear_error();
            const int n = SSL_read(ssl_.get(), block.data(), static_cast<int>(block.size()));
            if (n > 0) {
                buffer_.append(block.data(), static_cast<std::size_t>(n));
                return true;
            }
            if (!wait_as_told(ssl_.get(), n, fd_.get(), deadline, end_)) return false;
            continue;
        }
        const ssize_t n = ::recv(fd_.get(), block.data(), block.size(), 0);
        if (n > 0) {
            buffer_.append(block.data(), static_cast<std::size_t>(n));
            return true;
        }
        if (n == 0)
            end_ = End::closed;
        else if (errno != EAGAIN)
            end_ = End::reset;
        else if (!wait_readable(fd_.get(), deadline))
            end_ = End::timeout;
    }
    return false;
}

std::optional<Head> Wire::read_head() {
    std::size_t seen = 0;
    for (;;) {
        const std::size_t end = buffer_.find("\r\n\r\n", seen > 3 ? seen - 3 : 0);
        if (end != std::string::npos) {
            std::string raw = buffer_.substr(0, end + 4);
            buffer_.erase(0, end + 4);
            return parse_head(std::move(raw));
        }
        seen = buffer_.size();
        if (!fill()) return std::nullopt;
    }
}

std::optional<std::string> Wire::read_line() {
    for (;;) {
        const std::size_t end = buffer_.find("\r\n");
        if (end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 2);
            return line;
        }
        if (!fill()) return std::nullopt;
    }
}

Body Wire::read_length(std::uint64_t length, const Sink& sink) {
    while (length > 0) {
        if (buffer_.empty() && !fill()) return {};
        const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(length, buffer_.size()));
        sink(std::string_view{buffer_}.substr(0, part));
        buffer_.erase(0, part);
        length -= part;
    }
    return {.complete = true};
}

Body Wire::read_chunked(const Sink& sink) {
    for (;;) {
        const std::optional<std::string> line = read_line();
        if (!line) return {};
        std::uint64_t size = 0;
        const char* const end = line->data() + line->size();
        const auto [at, error] = std::from_chars(line->data(), end, size, 16);
        if (error != std::errc{} || (at != end && *at != ';'))
            throw std::runtime_error("not a chunk size: " + *line);
        if (size == 0) break;
        if (!read_length(size, sink).complete) return {};
        const std::optional<std::string> empty = read_line();
        if (!empty) return {};
        if (!empty->empty()) throw std::runtime_error("chunk data without CRLF");
    }
    Body body;
    for (;;) {
        const std::optional<std::string> line = read_line();
        if (!line) return {};
        if (line->empty()) break;
        body.trailers.push_back(parse_field(*line));
    }
    body.complete = true;
    return body;
}

Body Wire::read_to_end(const Sink& sink) {
    do {
        sink(buffer_);
        buffer_.clear();
    } while (fill());
    return {.complete = end_ == End::closed};
}

void Wire::finish_writing() {
    if (ssl_) SSL_shutdown(ssl_.get());
    ::shutdown(fd_.get(), SHUT_WR);
}

void handshake(const Fd& fd, SSL* ssl, bool server) {
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    SSL_set_fd(ssl, fd.get());
    const auto deadline = Clock::now() + kPatience;
    for (;;) {
        ERR_clear_error();
        const int done = server ? SSL_accept(ssl) : SSL_connect(ssl);
        if (done == 1) return;
        End why = End::open;
        if (wait_as_told(ssl, done, fd.get(), deadline, why)) continue;
        std::array<char, 256> text{};
        ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
        throw std::runtime_error(std::string{"TLS handshake: "} + text.data());
    }
}

}  // namespace test
