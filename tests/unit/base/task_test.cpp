// SPDX-License-Identifier: Apache-2.0
#include "sluice/base/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice {
namespace {

/// Suspends whoever awaits pass() until open() is called.
class Door {
public:
    struct Passage {
        Door& door;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) noexcept { door.waiting_ = h; }
        void await_resume() const noexcept {}
    };
    // A temporary: GCC 12 copies an awaited object that a lambda holds by reference.
    Passage pass() { return {*this}; }
    void open() { std::exchange(waiting_, {}).resume(); }

private:
    std::coroutine_handle<> waiting_{};
};

Task<int> number(int n) { co_return n; }
Task<int> sum(int n) {
    int total = 0;
    for (int i = 1; i <= n; ++i)
        total += co_await number(i);
    co_return total;
}
Task<void> fail() {
    throw std::runtime_error("no");
    co_return;
}
Task<std::unique_ptr<int>> make() { co_return std::make_unique<int>(5); }

/// Runs a lambda coroutine to its first suspension; it must outlive the run.
template <class Body>
Detached start(const Body& body) {
    co_await body();
}

TEST(Task, GivesItsValueToWhoAwaitsIt) {
    int got = 0;
    const auto body = [&]() -> Task<void> { got = co_await sum(100); };
    start(body);
    EXPECT_EQ(got, 5050);
}

TEST(Task, MovesItsValueOut) {
    int got = 0;
    const auto body = [&]() -> Task<void> {
        const std::unique_ptr<int> p = co_await make();
        got = *p;
    };
    start(body);
    EXPECT_EQ(got, 5);
}

TEST(Task, ThrowsWhereItIsAwaited) {
    std::string said;
    const auto body = [&]() -> Task<void> {
        try {
            co_await fail();
        } catch (const std::runtime_error& e) {
            said = e.what();
        }
    };
    start(body);
    EXPECT_EQ(said, "no");
}

TEST(Task, StartsOnlyWhenAwaited) {
    bool ran = false;
    const auto body = [&]() -> Task<void> {
        ran = true;
        co_return;
    };
    { const Task<void> never = body(); }
    EXPECT_FALSE(ran);
}

TEST(Task, ResumesTheCallerWhenItsOwnWaitEnds) {
    Door door;
    std::vector<std::string> order;
    const auto inner = [&]() -> Task<int> {
        order.push_back("inner waits");
        co_await door.pass();
        order.push_back("inner goes on");
        co_return 1;
    };
    const auto body = [&]() -> Task<void> {
        co_await inner();
        order.push_back("outer goes on");
    };
    start(body);
    order.push_back("started");
    door.open();
    EXPECT_EQ(order, (std::vector<std::string>{"inner waits", "started", "inner goes on",
                                               "outer goes on"}));
}

TEST(Task, DestroysWhatItsFrameHoldsWhenAbandonedHalfway) {
    Door door;
    const auto held = std::make_shared<int>(1);
    const auto body = [&]() -> Task<void> {
        const auto copy = held;
        co_await door.pass();
    };
    {
        // Awaited by hand, so that the frame can be given up while it waits.
        Task<void> task = body();
        task.await_suspend(std::noop_coroutine()).resume();
        EXPECT_EQ(held.use_count(), 2);
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Detached, FreesItselfAtTheEnd) {
    Door door;
    const auto held = std::make_shared<int>(1);
    const auto run = [&](std::shared_ptr<int> copy) -> Detached {
        co_await door.pass();
        *copy = 2;
    };
    run(held);
    EXPECT_EQ(held.use_count(), 2);
    door.open();
    EXPECT_EQ(held.use_count(), 1);
    EXPECT_EQ(*held, 2);
}

}  // namespace
}  // namespace sluice
