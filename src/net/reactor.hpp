// SPDX-License-Identifier: Apache-2.0
//
// The event loop of one worker: an edge-triggered epoll set, a timer wheel and a mailbox. Every
// socket of the data path lives here; Asio serves the control thread (docs/adr/0002).
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <coroutine>
#include <functional>
#include <mutex>
#include <vector>

#include "net/timer_wheel.hpp"
#include "sluice/base/time.hpp"

namespace sluice::net {

class Reactor;

/// Why a wait ended.
enum class Wake : std::uint8_t { event, timeout, cancelled };

/// One descriptor in a reactor. The flags remember what the kernel said last: I/O clears them when
/// a call would block, events set them, so no call is made that is known to be useless. All events
/// of a turn set their flags before the first of them is handled: during a turn every flag tells
/// what was so when the turn began, or what a call has found out since.
class Channel : private Timer {
public:
    /// Told about events that no coroutine waits for (an idle pooled connection).
    class Owner {
    public:
        virtual void unattended(Channel&, Wake) = 0;

    protected:
        ~Owner() = default;
    };

    Channel(Reactor&, int fd, Owner* owner = nullptr);
    ~Channel();  ///< closes the descriptor

    int fd() const { return fd_; }
    Reactor& reactor() { return reactor_; }
    bool readable = false;
    bool writable = false;
    bool peer_closed = false;  ///< FIN or reset seen: reading will come to an end
    bool is_broken = false;    ///< reset, or closed both ways: nothing will be taken any more
    void set_owner(Owner* owner) { owner_ = owner; }

    /// Ends this and every later wait with `cancelled` (shutdown).
    void cancel();
    bool is_cancelled() const { return cancelled_; }
    /// Wakes whoever waits, as if something had happened.
    void kick() {
        if (waiter_) resume(Wake::event);
    }
    /// Calls the owner when the time has come and nobody waits.
    void set_unattended_deadline(TimePoint);

private:
    friend class Reactor;
    friend struct Wait;
    void expired() override;
    void resume(Wake);
    void note(std::uint32_t events);

    Reactor& reactor_;
    int fd_;
    bool cancelled_ = false;
    Wake wake_ = Wake::event;
    std::coroutine_handle<> waiter_{};
    Owner* owner_;
};

/// co_await Wait{...}: sleeps until something happens on one (or either of two) channels or the
/// deadline passes. Only sensible after a call that would have blocked.
struct Wait {
    Channel& first;
    Channel* second;
    TimePoint deadline;

    bool await_ready() const noexcept {
        return first.cancelled_ || (second != nullptr && second->cancelled_);
    }
    void await_suspend(std::coroutine_handle<> h) noexcept;
    Wake await_resume() noexcept;
};

inline Wait wait(Channel& c, TimePoint deadline) { return {c, nullptr, deadline}; }
inline Wait wait_either(Channel& a, Channel& b, TimePoint deadline) { return {a, &b, deadline}; }

/// co_await Pause{reactor, when}: sleeps until then.
class Pause final : private Timer {
public:
    Pause(Reactor& reactor, TimePoint until) : reactor_{reactor}, until_{until} {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept;
    void await_resume() const noexcept {}

private:
    void expired() override { waiter_.resume(); }
    Reactor& reactor_;
    TimePoint until_;
    std::coroutine_handle<> waiter_{};
};

class Reactor {
public:
    Reactor();
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    /// Serves until stop(). `after_turn` runs once per batch of events.
    void run(const std::function<void()>& after_turn);
    void stop() { stopped_ = true; }

    /// Time at the start of this batch of events; cheap.
    TimePoint now() const { return now_; }
    /// Which batch of events is being handled.
    std::uint64_t turn() const { return turn_; }
    /// Whether this batch told everything that had happened: it was not cut off at its size.
    bool is_up_to_date() const { return up_to_date_; }
    TimerWheel& timers() { return timers_; }

    /// Runs a task on the reactor's thread, soon. Any thread.
    void post(std::function<void()> task);

    /// Level-triggered watch with a callback (listening sockets).
    struct Watch {
        int fd = -1;
        std::function<void()> ready{};
    };
    void watch(Watch&);
    void unwatch(Watch&);

private:
    friend class Channel;
    void add(Channel&);
    void remove(Channel&);
    void forget(std::uint64_t tagged);
    static bool is_channel(const epoll_event&);
    void note_events();
    void handle_events();
    void run_posted();
    int sleep_time() const;

    static constexpr int kBatch = 512;
    int epoll_;
    int wakeup_;
    bool stopped_ = false;
    TimePoint now_;
    std::uint64_t turn_ = 0;
    bool up_to_date_ = false;
    TimerWheel timers_;
    std::array<epoll_event, kBatch> events_{};
    int event_ = 0;
    int event_count_ = 0;
    std::mutex posted_mutex_;
    std::vector<std::function<void()>> posted_;
    std::atomic<bool> has_posted_{false};
};

}  // namespace sluice::net
