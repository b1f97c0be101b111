// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "sluice/base/time.hpp"

namespace sluice::net {

class TimerWheel;

/// A deadline that can be moved for the price of a store: moving it later only writes the new
/// time, the wheel notices when it comes round.
class Timer {
public:
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    TimePoint deadline() const { return deadline_; }
    bool is_set() const { return deadline_ != TimePoint::max(); }
    /// Off; the node may stay linked until the wheel comes round.
    void disarm() { deadline_ = TimePoint::max(); }

protected:
    ~Timer() { unlink(); }
    /// The deadline has passed; the timer is off.
    virtual void expired() = 0;

private:
    friend class TimerWheel;
    void unlink() {
        if (next_ == nullptr) return;
        prev_->next_ = next_;
        next_->prev_ = prev_;
        next_ = prev_ = nullptr;
    }
    Timer* prev_ = nullptr;
    Timer* next_ = nullptr;
    TimePoint deadline_ = TimePoint::max();
    std::int64_t tick_ = 0;  // when the wheel will look at it
};

/// Coarse timers of one thread: no system call, no heap, O(1). A deadline is noticed at most one
/// tick late and never early.
class TimerWheel {
public:
    static constexpr std::chrono::milliseconds kTick{8};
    static constexpr std::size_t kSlots = 1024;  // 8 s; later deadlines go round again

    explicit TimerWheel(TimePoint now);
    ~TimerWheel();

    void arm(Timer&, TimePoint deadline);
    /// Calls expired() of every timer whose deadline is not after `now`.
    void advance(TimePoint now);
    /// When advance() has something to look at next; max() when nothing is linked.
    TimePoint next() const;

private:
    struct Slot final : Timer {
        void expired() override {}
    };
    std::int64_t tick_of(TimePoint) const;
    void link(Timer&, std::int64_t tick);
    void visit(Slot&, TimePoint now);

    TimePoint origin_;
    std::int64_t current_ = 0;
    std::array<Slot, kSlots> slots_;
    std::array<std::uint64_t, kSlots / 64> occupied_{};  // a set bit may be stale
};

}  // namespace sluice::net
