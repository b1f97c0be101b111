// SPDX-License-Identifier: Apache-2.0
#include "net/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace sluice::net {

TimerWheel::TimerWheel(TimePoint now) : origin_{now} {
    for (Slot& slot : slots_)
        slot.prev_ = slot.next_ = &slot;
}

TimerWheel::~TimerWheel() {
    for (Slot& slot : slots_) {
        while (slot.next_ != &slot)
            slot.next_->unlink();
        slot.next_ = slot.prev_ = nullptr;
    }
}

// Rounded up: a timer is looked at only when its deadline is certainly over.
std::int64_t TimerWheel::tick_of(TimePoint t) const { return (t - origin_) / kTick + 1; }

void TimerWheel::link(Timer& timer, std::int64_t tick) {
    timer.unlink();
    timer.tick_ = tick;
    const std::size_t index = static_cast<std::size_t>(tick) % kSlots;
    occupied_[index / 64] |= std::uint64_t{1} << (index % 64);
    Slot& slot = slots_[index];
    timer.prev_ = slot.prev_;
    timer.next_ = &slot;
    slot.prev_->next_ = &timer;
    slot.prev_ = &timer;
}

void TimerWheel::arm(Timer& timer, TimePoint deadline) {
    timer.deadline_ = deadline;
    if (deadline == TimePoint::max()) return;
    const auto farthest = current_ + static_cast<std::int64_t>(kSlots) - 1;
    const std::int64_t tick = std::clamp(tick_of(deadline), current_ + 1, farthest);
    if (timer.next_ != nullptr && timer.tick_ <= tick && timer.tick_ > current_) return;
    link(timer, tick);
}

void TimerWheel::advance(TimePoint now) {
    const std::int64_t target = (now - origin_) / kTick;
    if (target - current_ > static_cast<std::int64_t>(kSlots)) {
        current_ = target - static_cast<std::int64_t>(kSlots);
    }
    while (current_ < target) {
        ++current_;
        const std::size_t index = static_cast<std::size_t>(current_) % kSlots;
        occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
        visit(slots_[index], now);
    }
}

void TimerWheel::visit(Slot& slot, TimePoint now) {
    // Taken off as a whole: what expired() arms anew may land in this very slot.
    Slot due;
    if (slot.next_ == &slot) return;
    due.next_ = slot.next_;
    due.prev_ = slot.prev_;
    due.next_->prev_ = &due;
    due.prev_->next_ = &due;
    slot.prev_ = slot.next_ = &slot;
    while (due.next_ != &due) {
        Timer& timer = *due.next_;
        timer.unlink();
        if (!timer.is_set()) continue;
        if (timer.deadline_ > now) {
            arm(timer, timer.deadline_);
            continue;
        }
        timer.disarm();
        timer.expired();
    }
    due.next_ = due.prev_ = nullptr;
}

TimePoint TimerWheel::next() const {
    const std::int64_t first = current_ + 1;
    const std::size_t start = static_cast<std::size_t>(first) % kSlots;
    for (std::size_t passed = 0; passed < kSlots;) {
        const std::size_t index = (start + passed) % kSlots;
        const std::uint64_t word = occupied_[index / 64] >> (index % 64);
        if (word != 0) {
            const auto ahead = passed + static_cast<std::size_t>(std::countr_zero(word));
            return origin_ + (first + static_cast<std::int64_t>(ahead)) * kTick;
        }
        passed += 64 - index % 64;
    }
    return TimePoint::max();
}

}  // namespace sluice::net
