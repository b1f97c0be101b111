// SPDX-License-Identifier: Apache-2.0
// floor: http
//
// A chunked body gives the same bytes whole, byte by byte and in pieces, and the same as the
// obvious decoder. The first byte of the input chooses the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/check.hpp"
#include "fuzz/naive_chunked.hpp"
#include "sluice/http/chunked.hpp"

namespace {

using sluice::http::ChunkedDecoder;
using State = ChunkedDecoder::State;

struct Outcome {
    State state = State::more;
    std::size_t consumed = 0;
    std::string data{};
    bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view bytes, std::size_t piece) {
    ChunkedDecoder decoder;
    Outcome outcome;
    while (outcome.state == State::more) {
        const std::string_view rest = bytes.substr(outcome.consumed, piece);
        const ChunkedDecoder::Step step = decoder.next(rest);
        FUZZ_CHECK(step.consumed <= rest.size());
        FUZZ_CHECK(step.data.size() <= step.consumed);
        FUZZ_CHECK(decoder.done() == (step.state == State::done));
        outcome.data += step.data;
        outcome.consumed += step.consumed;
        outcome.state = step.state;
        if (step.consumed == 0) break;
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1 || size > 4096) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Outcome whole = decode(bytes, bytes.size());
    FUZZ_CHECK(decode(bytes, 1) == whole);
    FUZZ_CHECK(decode(bytes, data[0] + std::size_t{1}) == whole);
    FUZZ_CHECK(whole.state != State::more || whole.consumed == bytes.size());

    const auto naive = sluice::fuzz::naive_chunked(bytes);
    FUZZ_CHECK(naive.has_value() == (whole.state == State::done));
    if (naive) {
        FUZZ_CHECK(naive->data == whole.data);
        FUZZ_CHECK(naive->consumed == whole.consumed);
    }
    return 0;
}
