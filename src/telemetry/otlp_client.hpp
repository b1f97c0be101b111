// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/time.hpp"
#include "sluice/config/model.hpp"

namespace sluice::telemetry {

struct OtlpAnswer {
    int status = 0;  ///< 0: there was none, and `error` says why
    std::string body{};
    std::string error{};
    std::optional<std::chrono::seconds> retry_after{};
};

/// POSTs one message to `settings.endpoint`, on a connection of its own. Blocks the calling
/// thread, until `deadline` at most, and no longer than `go_on` says (asked every 50 ms).
OtlpAnswer post_otlp(const config::Tracing& settings, const std::string& message,
                     TimePoint deadline, const std::function<bool()>& go_on);

}  // namespace sluice::telemetry
