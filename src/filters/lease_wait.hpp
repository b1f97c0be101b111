// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "net/reactor.hpp"
#include "sluice/base/task.hpp"
#include "sluice/state/shared_limits.hpp"

namespace sluice::filters {

/// A last resort: whoever leases answers within a fraction of it.
inline constexpr std::chrono::seconds kLeasePatience{2};

/// A request's wait for leases.
class LeaseWait final : public state::LeaseWaiter {
public:
    explicit LeaseWait(net::Channel& channel) : channel_{&channel}, reactor_{channel.reactor()} {}

    /// Returns when all of it is answered. Unavailable also when the deadline has passed or the
    /// gateway stops.
    static Task<Outcome> ask(state::SharedLimits&, state::LeaseNeeds, net::Channel&,
                             TimePoint deadline);

    void resolved(Outcome) noexcept override;

private:
    /// The request no longer waits: its channel and its worker may be gone from now on.
    void leave();

    std::mutex mutex_;       ///< guards channel_; taken by whoever leases, and by leave()
    net::Channel* channel_;  ///< null: nobody waits
    net::Reactor& reactor_;
    std::weak_ptr<LeaseWait> self_{};
    bool is_done_ = false;  ///< the worker's
    Outcome outcome_ = Outcome::unavailable;
};

}  // namespace sluice::filters
