// SPDX-License-Identifier: Apache-2.0
#include "net/reactor.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "support/reactor_thread.hpp"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::test::Pair;
using ::test::ReactorThread;

/// A channel on one end of a connection; the test holds the other.
struct Connected {
    explicit Connected(ReactorThread& thread, Channel::Owner* owner = nullptr)
        : thread_{thread}, pair{Pair::make()} {
        thread_.run(
            [&] { channel = std::make_unique<Channel>(thread_.reactor(), pair.near, owner); });
        // The first event says that it can be written to; later ones are the test's.
        EXPECT_TRUE(thread_.until([&] { return channel->writable; }));
    }
    ~Connected() {
        thread_.run([&] { channel.reset(); });
    }

    ReactorThread& thread_;
    Pair pair;
    std::unique_ptr<Channel> channel{};
};

class ReactorTest : public testing::Test {
protected:
    TimePoint now() { return std::chrono::steady_clock::now(); }
    /// What a wait on `c` ends with.
    Task<void> wait_for(Channel& c, Duration patience, std::optional<Wake>& woken) {
        woken = co_await wait(c, std::chrono::steady_clock::now() + patience);
    }
    ReactorThread thread_;
};

TEST_F(ReactorTest, RunsPostedTasksInOrderOnItsThread) {
    std::vector<int> order;
    std::thread::id id;
    for (int i = 0; i < 100; ++i) {
        thread_.reactor().post([&order, i] { order.push_back(i); });
    }
    thread_.run([&] { id = std::this_thread::get_id(); });
    EXPECT_NE(id, std::this_thread::get_id());
    ASSERT_EQ(order.size(), 100U);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST_F(ReactorTest, RunsWhatATaskPosts) {
    bool done = false;
    thread_.reactor().post([&] { thread_.reactor().post([&] { done = true; }); });
    EXPECT_TRUE(thread_.until([&] { return done; }));
}

TEST_F(ReactorTest, RunsTasksOfManyThreads) {
    int count = 0;
    std::vector<std::thread> posters;
    for (int i = 0; i < 4; ++i) {
        posters.emplace_back([&] {
            for (int k = 0; k < 1000; ++k)
                thread_.reactor().post([&] { ++count; });
        });
    }
    for (std::thread& t : posters)
        t.join();
    EXPECT_TRUE(thread_.until([&] { return count == 4000; }));
}

TEST_F(ReactorTest, RunsTasksPostedBeforeItStopped) {
    bool ran = false;
    thread_.run([&] {
        thread_.reactor().stop();
        thread_.reactor().post([&] { ran = true; });
    });
    thread_.stop();
    EXPECT_TRUE(ran);
}

TEST_F(ReactorTest, EndsAWaitWhenBytesCome) {
    Connected c{thread_};
    std::optional<Wake> woken;
    bool readable = false;
    bool done = false;
    thread_.run([&] {
        const auto body = [](Channel& channel, std::optional<Wake>& w, bool& r,
                             bool& d) -> Detached {
            w = co_await wait(channel, std::chrono::steady_clock::now() + seconds{20});
            r = channel.readable;
            d = true;
        };
        body(*c.channel, woken, readable, done);
    });
    EXPECT_FALSE(thread_.run([&] { return done; }));
    c.pair.far.send("x");
    ASSERT_TRUE(thread_.until([&] { return done; }));
    EXPECT_EQ(woken, Wake::event);
    EXPECT_TRUE(readable);
}

TEST_F(ReactorTest, EndsAWaitAtItsDeadlineAndNotBefore) {
    Connected c{thread_};
    std::optional<Wake> woken;
    const TimePoint started = now();
    ASSERT_TRUE(thread_.finish([&] { return wait_for(*c.channel, milliseconds{30}, woken); }));
    EXPECT_EQ(woken, Wake::timeout);
    EXPECT_GE(now() - started, milliseconds{30});
}

TEST_F(ReactorTest, EndsThisAndEveryLaterWaitWhenCancelled) {
    Connected c{thread_};
    std::optional<Wake> first;
    std::optional<Wake> second;
    ASSERT_TRUE(thread_.finish([&]() -> Task<void> {
        thread_.reactor().post([&] { c.channel->cancel(); });
        first = co_await wait(*c.channel, now() + seconds{20});
        second = co_await wait(*c.channel, now() + seconds{20});
    }));
    EXPECT_EQ(first, Wake::cancelled);
    EXPECT_EQ(second, Wake::cancelled);
    EXPECT_TRUE(c.channel->is_cancelled());
}

TEST_F(ReactorTest, EndsAWaitOnTwoChannelsForEither) {
    Connected a{thread_};
    Connected b{thread_};
    for (Connected* speaker : {&b, &a}) {
        std::optional<Wake> woken;
        bool done = false;
        const auto body = [](Channel& x, Channel& y, std::optional<Wake>& w, bool& d) -> Detached {
            w = co_await wait_either(x, y, std::chrono::steady_clock::now() + seconds{20});
            d = true;
        };
        thread_.run([&] { body(*a.channel, *b.channel, woken, done); });
        speaker->pair.far.send("x");
        ASSERT_TRUE(thread_.until([&] { return done; }));
        EXPECT_EQ(woken, Wake::event);
        EXPECT_TRUE(speaker->channel->readable);
    }
}

TEST_F(ReactorTest, CancelsAWaitOnTwoChannelsThroughTheSecond) {
    Connected a{thread_};
    Connected b{thread_};
    std::optional<Wake> woken;
    ASSERT_TRUE(thread_.finish([&]() -> Task<void> {
        thread_.reactor().post([&] { b.channel->cancel(); });
        woken = co_await wait_either(*a.channel, *b.channel, now() + seconds{20});
    }));
    EXPECT_EQ(woken, Wake::cancelled);
}

TEST_F(ReactorTest, WakesWhoeverIsKicked) {
    Connected c{thread_};
    std::optional<Wake> woken;
    thread_.run([&] { c.channel->kick(); });  // nobody waits: nothing happens
    ASSERT_TRUE(thread_.finish([&] {
        thread_.reactor().post([&] { c.channel->kick(); });
        return wait_for(*c.channel, seconds{20}, woken);
    }));
    EXPECT_EQ(woken, Wake::event);
}

TEST_F(ReactorTest, PausesUntilTheGivenTimeAndNotLess) {
    const TimePoint until = now() + milliseconds{20};
    TimePoint woken{};
    ASSERT_TRUE(thread_.finish([&]() -> Task<void> {
        co_await Pause{thread_.reactor(), until};
        woken = now();
    }));
    EXPECT_GE(woken, until);
}

TEST_F(ReactorTest, KnowsAClosedSideFromABrokenConnection) {
    Connected half{thread_};
    half.pair.far.finish_writing();
    EXPECT_TRUE(thread_.until([&] { return half.channel->peer_closed; }));
    EXPECT_FALSE(thread_.run([&] { return half.channel->is_broken; }));
    Connected gone{thread_};
    gone.pair.far.reset();
    EXPECT_TRUE(thread_.until([&] { return gone.channel->is_broken; }));
}

TEST_F(ReactorTest, SeesThePeerClose) {
    Connected c{thread_};
    c.pair.far.finish_writing();
    EXPECT_TRUE(thread_.until([&] { return c.channel->peer_closed && c.channel->readable; }));
}

struct TestOwner final : Channel::Owner {
    void unattended(Channel&, Wake why) override {
        wakes.push_back(why);
        if (then) then();
    }
    std::vector<Wake> wakes{};
    std::function<void()> then{};
};

TEST_F(ReactorTest, TellsTheOwnerWhatNobodyWaitsFor) {
    TestOwner owner;
    Connected c{thread_, &owner};
    thread_.run([&] { owner.wakes.clear(); });
    c.pair.far.send("out of turn");
    EXPECT_TRUE(thread_.until([&] { return owner.wakes == std::vector{Wake::event}; }));
}

TEST_F(ReactorTest, TellsTheOwnerWhenTheUnattendedDeadlineIsOver) {
    TestOwner owner;
    Connected c{thread_, &owner};
    thread_.run([&] {
        owner.wakes.clear();
        c.channel->set_unattended_deadline(now() + milliseconds{10});
    });
    EXPECT_TRUE(thread_.until([&] { return owner.wakes == std::vector{Wake::timeout}; }));
}

TEST_F(ReactorTest, DropsEventsOfAChannelThatDiesInTheSameBatch) {
    TestOwner owner;
    Connected a{thread_, &owner};
    Connected b{thread_, &owner};
    thread_.run([&] {
        owner.wakes.clear();
        // Both become readable before the next batch; whoever is first takes the other along.
        a.pair.far.send("x");
        b.pair.far.send("x");
        owner.then = [&] {
            if (a.channel->readable)
                b.channel.reset();
            else
                a.channel.reset();
        };
    });
    ASSERT_TRUE(thread_.until([&] { return !owner.wakes.empty(); }));
    thread_.run([&] { EXPECT_EQ(owner.wakes.size(), 1U); });
}

TEST_F(ReactorTest, CallsAWatchForAsLongAsItsDescriptorIsReadable) {
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int calls = 0;
    Reactor::Watch watch;
    watch.fd = fd;
    watch.ready = [&] {
        if (++calls < 3) return;  // level-triggered: called again until it is read
        std::uint64_t count = 0;
        EXPECT_EQ(::read(fd, &count, sizeof count), static_cast<ssize_t>(sizeof count));
    };
    const std::uint64_t one = 1;
    ASSERT_EQ(::write(fd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    thread_.run([&] { thread_.reactor().watch(watch); });
    ASSERT_TRUE(thread_.until([&] { return calls == 3; }));
    ASSERT_EQ(::write(fd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    ASSERT_TRUE(thread_.until([&] { return calls == 4; }));
    thread_.run([&] { thread_.reactor().unwatch(watch); });
    ASSERT_EQ(::write(fd, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    for (int turn = 0; turn < 5; ++turn)
        thread_.run([] {});
    EXPECT_EQ(calls, 4);
    ::close(fd);
}

/// Notes at every event whether the turn had told everything.
struct UpToDate final : Channel::Owner {
    void unattended(Channel& c, Wake) override {
        (c.reactor().is_up_to_date() ? in_full_turns : in_cut_turns) += 1;
    }
    int in_full_turns = 0;
    int in_cut_turns = 0;
};

TEST_F(ReactorTest, KnowsWhenATurnDidNotTellEverything) {
    constexpr int kMany = 600;  // a turn handles 512 events
    UpToDate seen;
    std::vector<std::unique_ptr<Channel>> channels;
    thread_.run([&] {
        for (int i = 0; i < kMany; ++i) {
            channels.push_back(std::make_unique<Channel>(
                thread_.reactor(), ::eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), &seen));
        }
    });
    ASSERT_TRUE(thread_.until([&] { return seen.in_full_turns + seen.in_cut_turns == kMany; }));
    EXPECT_GT(seen.in_cut_turns, 500);
    EXPECT_GT(seen.in_full_turns, 80);
    thread_.run([&] { channels.clear(); });
}

}  // namespace
}  // namespace sluice::net
