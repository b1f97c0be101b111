// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "gateway/snapshot.hpp"
#include "sluice/config/model.hpp"

namespace sluice::gateway {

/// The settings of one method after inheritance from "*/*" and the built-in defaults.
struct EffectiveSettings {
    std::optional<state::BucketShape> throttle{};
    bool caching = false;
    std::chrono::seconds cache_ttl{300};
    bool require_authorization_for_cache_control = true;
    config::UnauthorizedCacheControl unauthorized_cache_control =
        config::UnauthorizedCacheControl::succeed_with_response_header;
    bool metrics = false;
    config::LoggingLevel log_level = config::LoggingLevel::off;
    bool data_trace = false;
};

/// Everything a filter or integration may look at while its method is being compiled.
struct MethodBuild {
    const config::Config& config;
    const config::RestApi& api;
    const config::Stage& stage_config;
    const config::Resource& resource;
    const config::Method& method_config;
    const EffectiveSettings& settings;
    const Snapshot& snapshot;  ///< plans and keys are complete
    const Stage& stage;
    const Method& method;
    std::optional<SharedBucket> stage_bucket{};  ///< when settings.throttle
};

/// A filter of this build. `make` returns null when the method does not need it.
struct FilterEntry {
    std::string_view name;
    FilterPtr (*make)(const MethodBuild&);
};

}  // namespace sluice::gateway
