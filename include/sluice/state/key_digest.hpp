// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice::state {

/// Stands for an API key's value: SHA-256 with a random salt of this process, cut to 160 bits. A
/// look at memory or at timing tells nothing about the value.
class KeyDigest {
public:
    KeyDigest() = default;
    /// No allocation after a thread's first call. None: OpenSSL cannot hash.
    static std::optional<KeyDigest> of(std::string_view value);

    /// Where to look first in a table of so many places.
    std::size_t place_among(std::size_t places) const;
    /// Looks at every byte whatever it finds.
    friend bool operator==(const KeyDigest&, const KeyDigest&);

private:
    std::array<std::uint8_t, 20> bytes_{};
};

}  // namespace sluice::state
