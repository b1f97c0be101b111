// SPDX-License-Identifier: Apache-2.0
#include "net/outbox.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

namespace sluice::net {

namespace {

// Below this, copying costs less than what the kernel spends on a list of parts.
constexpr std::size_t kJoinLimit = 16 * 1024;

/// The parts as one, when they are several and small; `joined` holds them.
std::string_view join(std::span<const iovec> parts, char* joined) {
    std::size_t size = 0;
    for (const iovec& part : parts) {
        if (size + part.iov_len > kJoinLimit) return {};
        std::memcpy(joined + size, part.iov_base, part.iov_len);
        size += part.iov_len;
    }
    return {joined, size};
}

}  // namespace

bool Outbox::write(std::span<const iovec> parts) {
    if (parts.size() > 1) {
        thread_local const auto joined = std::make_unique_for_overwrite<char[]>(kJoinLimit);
        const std::string_view whole = join(parts, joined.get());
        if (!whole.empty()) return write(whole);
    }
    std::size_t skip = 0;
    if (backlog_.empty()) {
        const IoResult r = transport_.write(parts);
        if (r.state == Io::error || r.state == Io::eof) return false;
        skip = r.bytes;
        sent_ += r.bytes;
    }
    for (const iovec& part : parts) {
        const std::string_view bytes{static_cast<const char*>(part.iov_base), part.iov_len};
        const std::size_t taken = std::min(skip, bytes.size());
        skip -= taken;
        backlog_.append(bytes.substr(taken));
    }
    return true;
}

bool Outbox::flush() {
    while (!backlog_.empty()) {
        const std::string_view bytes = backlog_.view();
        const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
        const IoResult r = transport_.write({&part, 1});
        if (r.state == Io::would_block) return true;
        if (r.state != Io::done) return false;
        sent_ += r.bytes;
        backlog_.consume(r.bytes);
    }
    backlog_.release();
    return true;
}

}  // namespace sluice::net
