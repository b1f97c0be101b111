// SPDX-License-Identifier: Apache-2.0
#include "config/text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sluice::config {

std::string in_quotes(std::string_view text) {
    constexpr std::size_t kShown = 60;
    std::string out = "\"";
    for (const char c : text.substr(0, kShown)) {
        out += c >= ' ' && c <= '~' && c != '"' ? c : '?';
    }
    return out + (text.size() > kShown ? "...\"" : "\"");
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::size_t edit_distance(std::string_view left, std::string_view right) {
    constexpr std::size_t kCompared = 64;  // quadratic, and a longer key has no near one
    const std::string a = lower(left.substr(0, kCompared));
    const std::string b = lower(right.substr(0, kCompared));
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j)
        cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            cost[i][j] =
                std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
    std::string best;
    std::size_t least = std::string::npos;
    for (const std::string& candidate : candidates) {
        const std::size_t longer = std::max(word.size(), candidate.size());
        if (longer - std::min(word.size(), candidate.size()) >= least) continue;
        const std::size_t distance = edit_distance(word, candidate);
        if (distance >= least) continue;
        least = distance;
        best = candidate;
    }
    return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
    const std::string best = nearest(word, candidates);
    return best.empty() ? "" : "; did you mean " + in_quotes(best) + "?";
}

namespace {

/// Length of the UTF-8 sequence at the start of `text`; 0 = not one (RFC 3629).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) return 0;
    }
    const unsigned second = byte(1);
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
    if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
    return length;
}

}  // namespace

std::optional<BadByte> find_bad_utf8(std::string_view text) {
    int line = 1;
    int column = 1;
    for (std::size_t i = 0; i < text.size(); ++column) {
        const std::size_t length = utf8_length(text.substr(i));
        if (length == 0) return BadByte{line, column, "not UTF-8 text"};
        const char c = text[i];
        const bool control = length == 1 && ((c >= 0 && c < ' ') || c == 0x7F);
        if (control && c != '\t' && c != '\n' && c != '\r') {
            return BadByte{line, column, "control characters are not allowed"};
        }
        i += length;
        if (c == '\n') {
            ++line;
            column = 0;
        }
    }
    return {};
}

bool is_ipv4(std::string_view text) {
    in_addr address{};
    return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

bool is_ipv6(std::string_view text) {
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool is_ip(std::string_view text) { return is_ipv4(text) || is_ipv6(text); }

bool is_loopback(std::string_view address) {
    if (is_ipv4(address)) return address.starts_with("127.");
    in6_addr bytes{};
    if (inet_pton(AF_INET6, std::string(address).c_str(), &bytes) != 1) return false;
    const auto* b = bytes.s6_addr;
    const bool mapped =
        std::all_of(b, b + 10, [](auto x) { return x == 0; }) && b[10] == 0xFF && b[11] == 0xFF;
    return IN6_IS_ADDR_LOOPBACK(&bytes) != 0 || (mapped && b[12] == 127);
}

bool is_dns_name(std::string_view name) {
    if (name.empty() || name.size() > 253) return false;
    std::size_t start = 0;
    while (start <= name.size()) {
        const std::size_t end = std::min(name.find('.', start), name.size());
        const std::string_view label = name.substr(start, end - start);
        if (label.empty() || label.size() > 63) return false;
        if (label.front() == '-' || label.back() == '-') return false;
        const auto fits = [](char c) { return is_alnum(c) || c == '-' || c == '_'; };
        if (!std::all_of(label.begin(), label.end(), fits)) return false;
        start = end + 1;
    }
    return true;
}

std::optional<std::string> network_fault(const std::string& text) {
    const auto slash = text.find('/');
    const std::string address = text.substr(0, slash);
    std::array<unsigned char, 16> bytes{};
    const int family = is_ipv4(address) ? AF_INET : AF_INET6;
    if (inet_pton(family, address.c_str(), bytes.data()) != 1) {
        return "must be an address or a network such as 10.0.0.0/8";
    }
    if (slash == std::string::npos) return {};
    const int longest = family == AF_INET ? 32 : 128;
    const auto length = parse_integer(std::string_view(text).substr(slash + 1));
    if (!length || *length < 0 || *length > longest) {
        return "the prefix length must be 0 to " + std::to_string(longest);
    }
    const auto network = bytes;
    for (std::size_t bit = static_cast<std::size_t>(*length); bit < 128; ++bit) {
        bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] & ~(0x80U >> (bit % 8)));
    }
    if (network == bytes) return {};
    std::array<char, INET6_ADDRSTRLEN> shown{};
    inet_ntop(family, bytes.data(), shown.data(), shown.size());
    return "has bits set behind the prefix; did you mean \"" + std::string(shown.data()) +
           text.substr(slash) + "\"?";
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    std::string_view digits = text;
    if (digits.starts_with('-')) digits.remove_prefix(1);
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return {};
    if (digits.size() > 1 && digits[0] == '0') return {};
    std::int64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end != text.data() + text.size()) return {};
    return value;
}

std::optional<double> parse_number(std::string_view text) {
    std::string_view rest = text;
    const auto digits = [&rest] {
        const auto end = std::min(rest.find_first_not_of("0123456789"), rest.size());
        rest.remove_prefix(end);
        return end;
    };
    if (rest.starts_with('-')) rest.remove_prefix(1);
    const bool zero = rest.starts_with('0');
    const std::size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return {};
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        if (digits() == 0) return {};
    }
    if (rest.starts_with('e') || rest.starts_with('E')) {
        rest.remove_prefix(1);
        if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
        if (digits() == 0) return {};
    }
    double value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!rest.empty() || fault != std::errc{} || !std::isfinite(value)) return {};
    return value;
}

std::string number_hint(std::string_view text) {
    const std::string word = lower(text);
    std::string_view body = word;
    if (body.starts_with('-') || body.starts_with('+')) body.remove_prefix(1);
    if (body == ".inf" || body == ".nan" || body == "inf" || body == "nan" || body == "infinity") {
        return " (infinity and NaN are not allowed)";
    }
    if (body.empty() || !(is_digit(body[0]) || body[0] == '.')) return "";
    if (body.starts_with("0x") || body.starts_with("0o") || body.starts_with("0b")) {
        return " (write it in decimal)";
    }
    if (body.find(':') != std::string_view::npos) return " (base 60 is not read)";
    if (body.find('_') != std::string_view::npos) return " (without \"_\")";
    if (body.size() > 1 && body[0] == '0' && is_digit(body[1])) {
        return " (without a leading zero, which YAML 1.1 reads as octal)";
    }
    return "";
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    struct Unit {
        std::string_view name;
        double bytes;
    };
    static constexpr std::array<Unit, 9> kUnits{{{"B", 1},
                                                 {"kB", 1e3},
                                                 {"MB", 1e6},
                                                 {"GB", 1e9},
                                                 {"KiB", 1024.0},
                                                 {"MiB", 1048576.0},
                                                 {"GiB", 1073741824.0},
                                                 {"TiB", 1099511627776.0},
                                                 {"", 1}}};
    const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto amount = parse_number(text.substr(0, end));
    const std::string_view unit = trimmed(text.substr(end));
    if (!amount) return {};
    for (const Unit& known : kUnits) {
        if (known.name != unit) continue;
        const double bytes = *amount * known.bytes;
        if (bytes > 1e18) return {};
        return static_cast<std::uint64_t>(std::llround(bytes));
    }
    return {};
}

std::optional<UrlParts> split_url(std::string_view url) {
    const auto colon = url.find("://");
    if (colon == std::string_view::npos) return {};
    UrlParts parts;
    parts.scheme = std::string(url.substr(0, colon));
    const std::string_view after = url.substr(colon + 3);
    const auto end = std::min(after.find_first_of("/?#"), after.size());
    parts.authority = std::string(after.substr(0, end));
    parts.rest = std::string(after.substr(end));
    std::string_view host = parts.authority;
    if (host.starts_with('[')) {
        const auto close = host.find(']');
        if (close == std::string_view::npos) return {};
        parts.host = std::string(host.substr(1, close - 1));
        if (!is_ipv6(parts.host)) return {};
        host.remove_prefix(close + 1);
        if (!host.empty() && host[0] != ':') return {};
        if (host.size() == 1) return {};
        parts.port = std::string(host.empty() ? host : host.substr(1));
        return parts;
    }
    const auto port = host.rfind(':');
    parts.host = std::string(host.substr(0, port));
    if (port != std::string_view::npos) {
        parts.port = std::string(host.substr(port + 1));
        if (parts.port.empty()) return {};
    }
    return parts;
}

}  // namespace sluice::config
