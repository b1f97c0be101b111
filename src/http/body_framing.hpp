// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#include "sluice/http/chunked.hpp"
#include "sluice/http/head.hpp"

namespace sluice::http {

/// Takes a body out of the bytes of a connection, whatever its framing. Chunked data is moved
/// together in place, so that one read gives one piece.
class BodyFraming {
public:
    struct Piece {
        std::size_t data = 0;      ///< body bytes, now at the front of the input
        std::size_t consumed = 0;  ///< input bytes dealt with; what follows is the next message
        bool malformed = false;
    };

    BodyFraming() = default;
    BodyFraming(Framing framing, std::uint64_t length) : framing_{framing}, left_{length} {
        if (framing == Framing::none) left_ = 0;
    }

    bool finished() const {
        if (framing_ == Framing::chunked) return decoder_.done();
        if (framing_ == Framing::until_close) return false;
        return left_ == 0;
    }
    /// Ended by the peer's orderly close: complete only if nothing else marks the end.
    bool complete_at_eof() const { return framing_ == Framing::until_close || finished(); }

    /// Bytes that are certain to follow in this message: the rest of the length or of the chunk.
    std::uint64_t announced() const {
        return framing_ == Framing::chunked ? decoder_.chunk_left() : left_;
    }

    Piece take(char* bytes, std::size_t size) {
        if (framing_ == Framing::chunked) return take_chunked(bytes, size);
        if (framing_ == Framing::until_close) return {size, size};
        const auto n = left_ < size ? static_cast<std::size_t>(left_) : size;
        left_ -= n;
        return {n, n};
    }

private:
    Piece take_chunked(char* bytes, std::size_t size) {
        Piece piece;
        while (piece.consumed < size && !decoder_.done()) {
            const auto step = decoder_.next({bytes + piece.consumed, size - piece.consumed});
            if (step.state == ChunkedDecoder::State::malformed) {
                piece.malformed = true;
                return piece;
            }
            if (!step.data.empty()) {
                std::memmove(bytes + piece.data, step.data.data(), step.data.size());
                piece.data += step.data.size();
            }
            piece.consumed += step.consumed;
            if (step.consumed == 0) break;
        }
        return piece;
    }

    Framing framing_ = Framing::none;
    std::uint64_t left_ = 0;
    ChunkedDecoder decoder_{};
};

}  // namespace sluice::http
