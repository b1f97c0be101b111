// SPDX-License-Identifier: Apache-2.0
//
// Path segments and how they compare with the literals of the configuration. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/model.hpp"

namespace sluice::gateway {

using config::Compatibility;

/// Without slashes at the front (aws-semantics 1.4 step 1).
inline std::string_view without_leading_slashes(std::string_view path) {
    while (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    return path;
}

inline std::string_view without_trailing_slashes(std::string_view path) {
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return path;
}

/// Takes the bytes before the next "/" off `rest`; afterwards `rest` starts behind that slash.
inline std::string_view take_segment(std::string_view& rest) {
    const auto slash = std::min(rest.find('/'), rest.size());
    const auto segment = rest.substr(0, slash);
    rest.remove_prefix(std::min(slash + 1, rest.size()));
    return segment;
}

/// Literals of the configuration by the node they hang under: one flat hash table, so that the
/// cost of a step does not depend on how many routes there are. Literals compare on
/// percent-decoded bytes, case-sensitively; in `standard` ";parameters" are left out.
class SegmentTable {
public:
    static constexpr std::size_t kMaxLiteral = 512;  ///< decoded bytes

    /// How the segments of one path have to be read; decided once per path.
    struct Reading {
        bool decode = false;          ///< the path holds a "%"
        bool cut_parameters = false;  ///< `standard` and the path holds a ";"
    };
    static Reading reading_of(std::string_view path, Compatibility);

    SegmentTable();

    /// The child of `parent` behind `literal`; `next` is stored when there is none yet. Empty:
    /// the literal is longer than kMaxLiteral.
    std::optional<std::uint32_t> insert(std::uint32_t parent, std::string_view literal,
                                        std::uint32_t next);
    std::optional<std::uint32_t> find(std::uint32_t parent, std::string_view segment,
                                      Reading) const;

private:
    static constexpr std::uint32_t kFree = 0xffffffff;
    /// Half a cache line, with the text of nearly all literals in it: what a lookup in a big table
    /// waits for is lines.
    struct alignas(32) Slot {
        static constexpr std::size_t kShort = 20;

        std::uint32_t parent = kFree;
        std::uint32_t child = 0;
        std::uint16_t length = 0;
        std::uint16_t tag = 0;             ///< bits of the hash that do not choose the slot
        std::array<char, kShort> start{};  ///< the text, or its offset in `long_` when it is longer
    };
    static_assert(sizeof(Slot) == 32);

    std::optional<std::uint32_t> find_literal(std::uint32_t parent, std::string_view) const;
    std::string_view text_of(const Slot&) const;
    void place(const Slot&, std::uint64_t hash);
    void grow();

    std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
    std::size_t used_ = 0;
    std::string long_;  // literals that do not fit a slot
};

}  // namespace sluice::gateway
