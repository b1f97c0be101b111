// SPDX-License-Identifier: Apache-2.0
//
// What the settings of a method come to.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gateway/compile.hpp"

namespace sluice::gateway {

std::string method_key(const std::string& resource_path, const std::string& http_method) {
    const std::string path = resource_path == "/" ? "" : resource_path.substr(1);
    return path + '/' + http_method;
}

std::optional<state::BucketShape> bucket_shape(std::optional<double> rate,
                                               std::optional<std::int64_t> burst) {
    const bool has_rate = rate && *rate >= 0;  // -1: no limit
    const bool has_burst = burst && *burst >= 0;
    if (!has_rate && !has_burst) return std::nullopt;
    if (!has_rate) return state::BucketShape{std::numeric_limits<double>::infinity(), *burst};
    const double refill = *rate;
    const auto whole = std::max<std::int64_t>(1, std::llround(std::ceil(refill)));
    return state::BucketShape{refill, has_burst ? *burst : whole};
}

EffectiveSettings effective_settings(const config::Stage& stage, const config::Resource& resource,
                                     const config::Method& method) {
    static const config::MethodSettings kNone;
    const auto find = [&](const std::string& key) -> const config::MethodSettings& {
        const auto it = stage.method_settings.find(key);
        return it == stage.method_settings.end() ? kNone : it->second;
    };
    const config::MethodSettings& own = find(method_key(resource.path, method.http_method));
    const config::MethodSettings& all = find("*/*");
    const auto either = [](const auto& first, const auto& second) {
        return first ? first : second;
    };
    EffectiveSettings e;
    e.throttle = bucket_shape(either(own.throttling_rate_limit, all.throttling_rate_limit),
                              either(own.throttling_burst_limit, all.throttling_burst_limit));
    // "*/*" switches on GET only; other methods need an entry of their own (aws-semantics 5.1).
    const bool is_get = method.http_method == "GET" || method.http_method == "ANY";
    e.caching = own.caching_enabled.value_or(is_get && all.caching_enabled.value_or(false));
    e.cache_ttl = either(own.cache_ttl, all.cache_ttl).value_or(e.cache_ttl);
    e.require_authorization_for_cache_control =
        either(own.require_authorization_for_cache_control,
               all.require_authorization_for_cache_control)
            .value_or(e.require_authorization_for_cache_control);
    e.unauthorized_cache_control =
        either(own.unauthorized_cache_control, all.unauthorized_cache_control)
            .value_or(e.unauthorized_cache_control);
    e.metrics = either(own.metrics_enabled, all.metrics_enabled).value_or(false);
    e.log_level = either(own.logging_level, all.logging_level).value_or(e.log_level);
    e.data_trace = either(own.data_trace, all.data_trace).value_or(false);
    return e;
}

}  // namespace sluice::gateway
