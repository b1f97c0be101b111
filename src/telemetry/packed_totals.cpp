// SPDX-License-Identifier: Apache-2.0
#include "telemetry/packed_totals.hpp"

#include <algorithm>

namespace sluice::telemetry {
namespace {

/// Seven bits a byte, the lowest first; the top bit says that more follow.
void put(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        out.push_back(static_cast<char>((value & 0x7f) | 0x80));
    out.push_back(static_cast<char>(value));
}

std::uint64_t take(std::string_view& in) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; !in.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(in.front());
        in.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) break;
    }
    return value;
}

void put(std::string& out, const Spread& spread) {
    const auto in_use = std::count_if(spread.buckets.begin(), spread.buckets.end(),
                                      [](std::uint64_t n) { return n != 0; });
    put(out, static_cast<std::uint64_t>(in_use));
    if (in_use == 0) return;
    put(out, spread.sum);
    put(out, spread.least);
    put(out, spread.most - spread.least);
    std::size_t next = 0;
    for (std::size_t i = 0; i < spread.buckets.size(); ++i) {
        if (spread.buckets[i] == 0) continue;
        put(out, i - next);
        put(out, spread.buckets[i]);
        next = i + 1;
    }
}

void take(std::string_view& in, Spread& spread) {
    const std::uint64_t in_use = take(in);
    if (in_use == 0) return;
    spread.sum = take(in);
    spread.least = take(in);
    spread.most = spread.least + take(in);
    std::size_t next = 0;
    for (std::uint64_t n = 0; n < in_use; ++n) {
        const std::size_t i = next + static_cast<std::size_t>(take(in));
        spread.count += spread.buckets[i] = take(in);
        next = i + 1;
    }
}

}  // namespace

void pack(std::string& out, const Totals& t) {
    for (const std::uint64_t n :
         {t.requests, t.errors_4xx, t.errors_5xx, t.cache_hits, t.cache_misses})
        put(out, n);
    for (const Spread* spread : {&t.latency, &t.integration, &t.overhead})
        put(out, *spread);
}

void unpack(std::string_view in, Totals& t) {
    for (std::uint64_t* n :
         {&t.requests, &t.errors_4xx, &t.errors_5xx, &t.cache_hits, &t.cache_misses})
        *n = take(in);
    for (Spread* spread : {&t.latency, &t.integration, &t.overhead})
        take(in, *spread);
}

}  // namespace sluice::telemetry
