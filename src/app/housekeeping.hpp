// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/listener.hpp"
#include "sluice/state/limit_registry.hpp"

namespace sluice::app {

/// What has to be tidied up now and then. On the control thread.
class Housekeeping {
public:
    Housekeeping(state::LimitRegistry& limits, const http::Admission& admission)
        : limits_{limits}, admission_{admission} {}

    void run();

private:
    void sweep_limits();
    void return_memory();
    void lay_out_memory();

    state::LimitRegistry& limits_;
    const http::Admission& admission_;
    TimePoint next_sweep_{};
    TimePoint next_layout_{};
    std::size_t most_connections_ = 0;  ///< since memory was last given back
};

}  // namespace sluice::app
