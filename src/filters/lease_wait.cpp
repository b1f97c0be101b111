// SPDX-License-Identifier: Apache-2.0
#include "filters/lease_wait.hpp"

namespace sluice::filters {

void LeaseWait::resolved(Outcome outcome) noexcept {
    const std::lock_guard lock{mutex_};
    if (channel_ == nullptr) return;
    reactor_.post([self = self_.lock(), outcome] {
        self->is_done_ = true;
        self->outcome_ = outcome;
        if (self->channel_ != nullptr) self->channel_->kick();
    });
}

void LeaseWait::leave() {
    const std::lock_guard lock{mutex_};
    channel_ = nullptr;
}

Task<LeaseWait::Outcome> LeaseWait::ask(state::SharedLimits& shared, state::LeaseNeeds needs,
                                        net::Channel& channel, TimePoint deadline) {
    const auto wait = std::make_shared<LeaseWait>(channel);
    wait->self_ = wait;
    shared.ask(std::move(needs), wait);
    while (!wait->is_done_) {
        if (co_await net::wait(channel, deadline) != net::Wake::event) break;
    }
    wait->leave();
    co_return wait->is_done_ ? wait->outcome_ : Outcome::unavailable;
}

}  // namespace sluice::filters
