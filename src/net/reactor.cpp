// SPDX-License-Identifier: Apache-2.0
#include "net/reactor.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sluice::net {
namespace {

// epoll hands back one pointer; its low bit tells a Watch from a Channel.
constexpr std::uintptr_t kWatchBit = 1;

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

// ------------------------------------------------------------------------------------ Channel

Channel::Channel(Reactor& reactor, int fd, Owner* owner)
    : reactor_{reactor}, fd_{fd}, owner_{owner} {
    reactor_.add(*this);
}

Channel::~Channel() {
    reactor_.remove(*this);
    ::close(fd_);
}

void Channel::cancel() {
    cancelled_ = true;
    resume(Wake::cancelled);
}

void Channel::set_unattended_deadline(TimePoint t) { reactor_.timers().arm(*this, t); }

void Channel::expired() { resume(Wake::timeout); }

void Channel::resume(Wake why) {
    if (waiter_) {
        wake_ = why;
        std::exchange(waiter_, {}).resume();
    } else if (owner_ != nullptr) {
        owner_->unattended(*this, why);
    }
}

void Channel::note(std::uint32_t events) {
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) writable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) peer_closed = readable = true;
    if (events & (EPOLLHUP | EPOLLERR)) is_broken = true;
}

void Wait::await_suspend(std::coroutine_handle<> h) noexcept {
    first.waiter_ = h;
    first.wake_ = Wake::event;
    if (second != nullptr) second->waiter_ = h;
    first.reactor_.timers().arm(first, deadline);
}

Wake Wait::await_resume() noexcept {
    first.waiter_ = {};
    first.disarm();
    Wake wake = first.wake_;
    first.wake_ = Wake::event;
    if (second != nullptr) {
        second->waiter_ = {};
        second->wake_ = Wake::event;
    }
    if (!await_ready()) return wake;
    return Wake::cancelled;
}

void Pause::await_suspend(std::coroutine_handle<> h) noexcept {
    waiter_ = h;
    reactor_.timers().arm(*this, until_);
}

// ------------------------------------------------------------------------------------ Reactor

Reactor::Reactor()
    : epoll_{::epoll_create1(EPOLL_CLOEXEC)},
      wakeup_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
      now_{std::chrono::steady_clock::now()},
      timers_{now_} {
    if (epoll_ < 0) fail("epoll_create1");
    if (wakeup_ < 0) fail("eventfd");
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) fail("epoll_ctl");
}

Reactor::~Reactor() {
    ::close(wakeup_);
    ::close(epoll_);
}

void Reactor::add(Channel& c) {
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &c}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd_, &event) != 0) fail("epoll_ctl");
}

void Reactor::remove(Channel& c) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, c.fd_, nullptr);
    forget(reinterpret_cast<std::uintptr_t>(&c));
}

void Reactor::watch(Watch& w) {
    const auto tagged = reinterpret_cast<std::uintptr_t>(&w) | kWatchBit;
    epoll_event event{.events = EPOLLIN, .data = {.u64 = tagged}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, w.fd, &event) != 0) fail("epoll_ctl");
}

void Reactor::unwatch(Watch& w) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, w.fd, nullptr);
    const auto tagged = reinterpret_cast<std::uintptr_t>(&w) | kWatchBit;
    forget(tagged);
}

/// Events of this batch that were not handled yet must not reach what is gone.
void Reactor::forget(std::uint64_t tagged) {
    for (int i = event_ + 1; i < event_count_; ++i) {
        epoll_event& event = events_[static_cast<std::size_t>(i)];
        if (event.data.u64 == tagged) event.events = 0;
    }
}

void Reactor::post(std::function<void()> task) {
    {
        const std::lock_guard lock{posted_mutex_};
        posted_.push_back(std::move(task));
    }
    if (has_posted_.exchange(true)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wakeup_, &one, sizeof one);
}

void Reactor::run_posted() {
    if (!has_posted_.exchange(false)) return;
    std::vector<std::function<void()>> tasks;
    {
        const std::lock_guard lock{posted_mutex_};
        tasks.swap(posted_);
    }
    for (const auto& task : tasks)
        task();
}

int Reactor::sleep_time() const {
    if (has_posted_) return 0;
    const TimePoint next = timers_.next();
    if (next == TimePoint::max()) return -1;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

bool Reactor::is_channel(const epoll_event& event) {
    return event.events != 0 && event.data.ptr != nullptr && (event.data.u64 & kWatchBit) == 0;
}

void Reactor::note_events() {
    for (int i = 0; i < event_count_; ++i) {
        const epoll_event& event = events_[static_cast<std::size_t>(i)];
        if (is_channel(event)) static_cast<Channel*>(event.data.ptr)->note(event.events);
    }
}

void Reactor::handle_events() {
    for (event_ = 0; event_ < event_count_; ++event_) {
        const epoll_event& event = events_[static_cast<std::size_t>(event_)];
        if (is_channel(event)) {
            static_cast<Channel*>(event.data.ptr)->resume(Wake::event);
        } else if (event.data.ptr == nullptr) {
            std::uint64_t count = 0;
            [[maybe_unused]] const auto got = ::read(wakeup_, &count, sizeof count);
        } else if (event.events != 0) {
            reinterpret_cast<Watch*>(event.data.u64 & ~kWatchBit)->ready();
        }
    }
    event_count_ = 0;
}

void Reactor::run(const std::function<void()>& after_turn) {
    while (!stopped_) {
        event_count_ = ::epoll_wait(epoll_, events_.data(), kBatch, sleep_time());
        now_ = std::chrono::steady_clock::now();
        ++turn_;
        up_to_date_ = event_count_ < kBatch;
        note_events();
        handle_events();
        timers_.advance(now_);
        run_posted();
        after_turn();
    }
    run_posted();
}

}  // namespace sluice::net
