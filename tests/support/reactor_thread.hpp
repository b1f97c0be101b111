// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <thread>
#include <type_traits>

#include "net/reactor.hpp"
#include "sluice/base/task.hpp"
#include "support/peer.hpp"

namespace test {

/// A reactor on a thread of its own. What belongs to it is made, used and destroyed in run().
class ReactorThread {
public:
    ReactorThread() = default;
    ~ReactorThread() { stop(); }
    ReactorThread(const ReactorThread&) = delete;
    ReactorThread& operator=(const ReactorThread&) = delete;

    sluice::net::Reactor& reactor() { return reactor_; }

    /// Calls `f` on the reactor's thread and gives back what it returns or throws.
    template <class F>
    auto run(F f) {
        using R = std::invoke_result_t<F>;
        std::promise<R> done;
        reactor_.post([&] {
            try {
                if constexpr (std::is_void_v<R>) {
                    f();
                    done.set_value();
                } else {
                    done.set_value(f());
                }
            } catch (...) {
                done.set_exception(std::current_exception());
            }
        });
        return done.get_future().get();
    }

    /// Asks after every turn of the reactor; false when the answer is still no after a while.
    bool until(std::function<bool()> question) {
        const auto asked = std::make_shared<Asked>(std::move(question));
        auto answered = asked->yes.get_future();
        reactor_.post([this, asked] { asked_.push_back(asked); });
        if (answered.wait_for(kLongEnough) == std::future_status::ready) return true;
        run([&] { asked_.remove(asked); });
        return false;
    }

    /// Runs a coroutine to its end. False when it does not end in time.
    bool finish(const std::function<sluice::Task<void>()>& body) {
        bool done = false;
        run([&] { start(body, done); });
        return until([&] { return done; });
    }

    void stop() {
        if (!thread_.joinable()) return;
        reactor_.post([this] { reactor_.stop(); });
        thread_.join();
    }

private:
    struct Asked {
        explicit Asked(std::function<bool()> q) : question{std::move(q)} {}
        std::function<bool()> question;
        std::promise<void> yes{};
    };
    static sluice::Detached start(const std::function<sluice::Task<void>()>& body, bool& done) {
        co_await body();
        done = true;
    }
    void answer() {
        asked_.remove_if([](const std::shared_ptr<Asked>& asked) {
            if (!asked->question()) return false;
            asked->yes.set_value();
            return true;
        });
    }

    sluice::net::Reactor reactor_;
    std::list<std::shared_ptr<Asked>> asked_;  // the reactor's thread only
    std::thread thread_{[this] { reactor_.run([this] { answer(); }); }};
};

}  // namespace test
