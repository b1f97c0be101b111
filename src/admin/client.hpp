// SPDX-License-Identifier: Apache-2.0
//
// The blocking side of the admin interface, for `sluice usage` and `sluice healthcheck`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/result.hpp"
#include "sluice/base/time.hpp"

namespace sluice::admin {

/// Where an admin listener is: "http://127.0.0.1:9901", perhaps with a path in front.
struct AdminUrl {
    std::string host{};  ///< without brackets
    std::uint16_t port = 80;
    std::string path{};  ///< no slash at its end
    std::string authority() const;
};
/// Only http; a user, a query or a fragment is refused.
Result<AdminUrl> parse_admin_url(std::string_view);

struct Answer {
    int status = 0;
    std::string body{};
};

struct ClientOptions {
    std::string token{};
    Duration timeout = std::chrono::seconds{5};  ///< for everything together
    std::uint64_t max_body = 64 * 1024 * 1024;
};

/// One request on a connection of its own. An answer of any status is an Answer; an Error says
/// what kept it from coming.
Result<Answer> get(const std::string& admin_url, const std::string& target, ClientOptions = {});
Result<Answer> send(const std::string& method, const std::string& admin_url,
                    const std::string& target, ClientOptions = {});

/// A query component: everything but unreserved characters becomes %XX.
std::string percent_encode(std::string_view);

}  // namespace sluice::admin
