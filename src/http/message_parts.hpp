// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <array>
#include <span>
#include <string_view>

#include "sluice/http/chunked.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http {

/// What goes out in one send: a head perhaps, and a piece of body in its framing. Refers to the
/// bytes it was given.
class MessageParts {
public:
    /// `end`: the piece is the last one. Framing::none sends no body bytes.
    MessageParts(Framing framing, std::string_view head, std::string_view piece, bool end) {
        if (framing == Framing::none) piece = {};
        add(head);
        if (framing == Framing::chunked && !piece.empty()) {
            add({chunk_.data(), write_chunk_header(chunk_.data(), piece.size())});
        }
        add(piece);
        if (framing != Framing::chunked) return;
        if (end) {
            add(piece.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n");
        } else if (!piece.empty()) {
            add("\r\n");
        }
    }
    MessageParts(const MessageParts&) = delete;
    MessageParts& operator=(const MessageParts&) = delete;

    std::span<const iovec> all() const { return {parts_.data(), count_}; }
    bool empty() const { return count_ == 0; }

private:
    void add(std::string_view bytes) {
        if (bytes.empty()) return;
        if (count_ > 0 && end_of(parts_[count_ - 1]) == bytes.data()) {
            parts_[count_ - 1].iov_len += bytes.size();  // they lie side by side: one piece
        } else {
            parts_[count_++] = {const_cast<char*>(bytes.data()), bytes.size()};
        }
    }
    static const char* end_of(const iovec& part) {
        return static_cast<const char*>(part.iov_base) + part.iov_len;
    }

    std::array<iovec, 4> parts_;
    std::size_t count_ = 0;
    std::array<char, 20> chunk_;
};

}  // namespace sluice::http
