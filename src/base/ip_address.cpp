// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/ip_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/hash.hpp"

namespace sluice {

namespace {

constexpr std::array<std::uint8_t, 12> kV4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kV4PrefixBits = 96;

/// "0." to "255.", copied whole and then counted by `size`.
struct OctetText {
    char text[4] = {};
    std::uint8_t size = 0;
};

constexpr std::array<OctetText, 256> octet_texts() {
    std::array<OctetText, 256> octets{};
    for (unsigned n = 0; n < octets.size(); ++n) {
        OctetText& octet = octets[n];
        for (unsigned unit = 100; unit > 0; unit /= 10) {
            if (n < unit && unit > 1) continue;
            octet.text[octet.size++] = static_cast<char>('0' + n / unit % 10);
        }
        octet.text[octet.size++] = '.';
    }
    return octets;
}
constexpr auto kOctets = octet_texts();

IpAddress::Bytes with_host_bits(IpAddress::Bytes bytes, int prefix, bool ones) {
    for (int n = 0; n < 16; ++n) {
        const int kept = std::clamp(prefix - n * 8, 0, 8);
        const auto host = static_cast<std::uint8_t>(0xff >> kept);
        std::uint8_t& byte = bytes[static_cast<std::size_t>(n)];
        byte = static_cast<std::uint8_t>(ones ? byte | host : byte & ~host);
    }
    return bytes;
}

std::optional<int> parse_prefix(std::string_view text, int most) {
    int bits = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    const bool is_plain = !text.empty() && text[0] != '-' && (text[0] != '0' || text.size() == 1);
    if (!is_plain || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (bits > most) return std::nullopt;
    return bits;
}

Error bad_network(std::string_view text, std::string_view why) {
    return {.origin = Origin::internal,
            .code = "bad_network",
            .detail = "\"" + std::string{text} + "\" " + std::string{why},
            .retry = Retry::never};
}

}  // namespace

IpAddress IpAddress::v6(const Bytes& bytes) {
    IpAddress address;
    address.bytes_ = bytes;
    return address;
}

IpAddress IpAddress::v4(const std::array<std::uint8_t, 4>& bytes) {
    IpAddress address;
    std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes_.begin());
    std::copy(bytes.begin(), bytes.end(), address.bytes_.begin() + 12);
    return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    char copy[INET6_ADDRSTRLEN];
    if (text.size() >= sizeof copy || text.find('\0') != text.npos) return std::nullopt;
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    std::array<std::uint8_t, 4> four{};
    if (::inet_pton(AF_INET, copy, four.data()) == 1) return v4(four);
    Bytes sixteen{};
    if (::inet_pton(AF_INET6, copy, sixteen.data()) == 1) return v6(sixteen);
    return std::nullopt;
}

/// Once per request: by hand, since inet_ntop goes through printf.
char* IpAddress::write(char* out) const {
    if (!is_v4()) {
        const char* const text = ::inet_ntop(AF_INET6, bytes_.data(), out, kTextSize);
        return text == nullptr ? out : out + std::strlen(out);
    }
    for (std::size_t i = kV4Prefix.size(); i < bytes_.size(); ++i) {
        const OctetText& octet = kOctets[bytes_[i]];
        std::memcpy(out, octet.text, sizeof octet.text);
        out += octet.size;
    }
    return out - 1;  // without the last dot
}

std::string IpAddress::to_string() const {
    char text[kTextSize];
    return {text, write(text)};
}

bool IpAddress::is_v4() const {
    return std::memcmp(bytes_.data(), kV4Prefix.data(), kV4Prefix.size()) == 0;
}

IpAddress IpAddress::masked(int v4_bits, int v6_bits) const {
    const int prefix = is_v4() ? kV4PrefixBits + std::clamp(v4_bits, 0, 32) : v6_bits;
    return v6(with_host_bits(bytes_, std::clamp(prefix, 0, 128), false));
}

std::uint64_t IpAddress::hash() const {
    return siphash13(process_hash_key(),
                     {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
}

Result<IpSet> IpSet::parse(std::span<const std::string> networks) {
    IpSet set;
    for (const std::string& text : networks) {
        const std::size_t slash = text.find('/');
        const auto address = IpAddress::parse(std::string_view{text}.substr(0, slash));
        if (!address) return bad_network(text, "is not an IP address or network");
        int prefix = 128;
        if (slash != text.npos) {
            // "::ffff:10.0.0.0/104" counts its bits as IPv6 does.
            const bool dotted = text.find(':') == text.npos;
            const auto bits =
                parse_prefix(std::string_view{text}.substr(slash + 1), dotted ? 32 : 128);
            if (!bits) return bad_network(text, "has no valid prefix length");
            prefix = dotted ? kV4PrefixBits + *bits : *bits;
        }
        const auto first = IpAddress::v6(with_host_bits(address->bytes(), prefix, false));
        const auto last = IpAddress::v6(with_host_bits(address->bytes(), prefix, true));
        if (first != *address) {
            return bad_network(text, "has bits set after its prefix; the network is " +
                                         first.to_string() + text.substr(slash));
        }
        (first.is_v4() ? set.v4_ : set.v6_).push_back({first, last});
    }
    merge(set.v4_);
    merge(set.v6_);
    return set;
}

void IpSet::merge(std::vector<Range>& ranges) {
    std::sort(ranges.begin(), ranges.end(),
              [](const Range& a, const Range& b) { return a.first < b.first; });
    std::size_t kept = 0;
    for (const Range& range : ranges) {
        if (kept > 0 && range.first <= ranges[kept - 1].last) {
            ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
        } else {
            ranges[kept++] = range;
        }
    }
    ranges.resize(kept);
}

bool IpSet::contains(const IpAddress& address) const {
    const std::vector<Range>& ranges = address.is_v4() ? v4_ : v6_;
    const auto after =
        std::upper_bound(ranges.begin(), ranges.end(), address,
                         [](const IpAddress& a, const Range& r) { return a < r.first; });
    return after != ranges.begin() && address <= std::prev(after)->last;
}

}  // namespace sluice
