// SPDX-License-Identifier: Apache-2.0
#include "app/redis_settings.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <charconv>

namespace sluice::app {
namespace {

Error fault(std::string what) {
    return {Origin::internal, "redis_url", "state.redis.url: " + std::move(what), Retry::never};
}

/// Of ports and of databases.
constexpr int kLargest = 65'535;

std::optional<int> number_in(std::string_view text) {
    int number = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (number < 0 || number > kLargest) return std::nullopt;
    return number;
}

std::optional<int> database_in(std::string_view path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    return path.empty() ? 0 : number_in(path);
}

}  // namespace

Result<state::RedisSettings> redis_settings(const config::Redis& c) {
    const auto url = boost::urls::parse_uri(c.url);
    if (!url) {
        return fault("is not a URL; reserved characters of a password are percent-encoded");
    }
    state::RedisSettings settings;
    settings.tls = url->scheme() == "rediss";
    if (!settings.tls && url->scheme() != "redis") return fault("must begin with redis://");
    if (url->host().empty()) return fault("needs a host");
    settings.host = url->host_address();
    if (url->has_port()) settings.port = url->port();
    if (number_in(settings.port).value_or(0) == 0) return fault("the port must be 1 to 65535");
    settings.user = url->user();
    settings.password = url->password();
    if (!settings.user.empty() && settings.password.empty())
        return fault("a user needs a password");
    const auto database = database_in(std::string{url->encoded_path()});
    if (!database) return fault("the database must be a number");
    if (url->has_query() || url->has_fragment()) return fault("ends with the database");
    settings.database = *database;
    settings.ca_file = c.ca_file;
    settings.prefix = c.key_prefix;
    settings.lease = c.lease;
    switch (c.on_failure) {
        case config::RedisFailure::local:
            settings.away = state::AwayMode::local;
            break;
        case config::RedisFailure::closed:
            settings.away = state::AwayMode::closed;
            break;
        case config::RedisFailure::open:
            settings.away = state::AwayMode::open;
            break;
    }
    return settings;
}

}  // namespace sluice::app
