// SPDX-License-Identifier: Apache-2.0
#include "gateway/client_address.hpp"

namespace sluice::gateway {
namespace {

std::string_view trim(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t'))
        s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t'))
        s.remove_suffix(1);
    return s;
}

/// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"
std::string_view without_port(std::string_view s) {
    if (s.starts_with('[')) {
        const auto end = s.find(']');
        return end == std::string_view::npos ? s : s.substr(1, end - 1);
    }
    const auto colon = s.find(':');
    const bool v4_with_port = colon != std::string_view::npos && s.find(':', colon + 1) == s.npos;
    return v4_with_port ? s.substr(0, colon) : s;
}

}  // namespace

IpAddress client_address(const IpAddress& peer, bool trusted_peer, const IpSet& trusted,
                         const http::FieldList& fields) {
    if (!trusted_peer) return peer;
    IpAddress nearest = peer;
    const auto all = fields.all();
    for (auto field = all.rbegin(); field != all.rend(); ++field) {
        if (!http::iequals(field->name, "X-Forwarded-For")) continue;
        std::string_view list = field->value;
        while (!list.empty()) {
            const auto comma = list.rfind(',');
            const bool last = comma == std::string_view::npos;
            const std::string_view item = trim(last ? list : list.substr(comma + 1));
            list = last ? std::string_view{} : list.substr(0, comma);
            const auto address = IpAddress::parse(without_port(item));
            if (!address) return nearest;  // beyond what we cannot read nothing can be trusted
            nearest = *address;
            if (!trusted.contains(nearest)) return nearest;
        }
    }
    return nearest;
}

}  // namespace sluice::gateway
