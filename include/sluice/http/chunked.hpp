// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::http {

/// Takes the chunked coding apart, strictly (robustness 1.5 rule 5). Pure, keeps no bytes.
class ChunkedDecoder {
public:
    enum class State : std::uint8_t { more, done, malformed };
    struct Step {
        State state = State::more;
        std::size_t consumed = 0;  ///< bytes of the input dealt with, data included
        std::string_view data{};   ///< body bytes found, a view into the input (may be empty)
    };
    /// Advances over `input` to the end of the next piece of data, or to where input ends.
    /// Call again with the rest until it consumes nothing or is done. After done, the rest of the
    /// input belongs to the next message. Trailer fields are checked and dropped.
    Step next(std::string_view input);
    bool done() const;
    /// Bytes of the present chunk that have not come yet.
    std::uint64_t chunk_left() const { return at_ == At::data ? left_ : 0; }

private:
    enum class At : std::uint8_t {
        size_first,
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer_name,
        trailer_value,
        trailer_lf,
        end_lf,
        done,
        malformed
    };
    At after(char);
    At after_in_size_line(char);
    At after_in_trailer(char);

    At at_ = At::size_first;
    std::uint64_t left_ = 0;             ///< of the chunk's data
    std::uint32_t digits_ = 0;           ///< bytes of the size line so far
    std::uint32_t extension_bytes_ = 0;  ///< per message: at most 16 KiB
    std::uint32_t trailer_bytes_ = 0;    ///< at most 8 KiB
};

/// "1f4\r\n" for a chunk of that many bytes; returns the length written (at most 18).
std::size_t write_chunk_header(char* out, std::uint64_t size);

}  // namespace sluice::http
