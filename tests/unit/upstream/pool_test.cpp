// SPDX-License-Identifier: Apache-2.0
#include "upstream/pool.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "support/reactor_thread.hpp"

namespace sluice::upstream {
namespace {

using ::test::Pair;
using ::test::Peer;
using ::test::ReactorThread;

class PoolTest : public testing::Test {
protected:
    ~PoolTest() override {
        thread_.run([&] { pool_.reset(); });
    }
    struct Made {
        ConnectionPtr connection{};
        Peer origin;
    };
    /// A new connection to this target.
    Made make(std::uint32_t target) {
        Pair pair = Pair::make();
        Made made{.origin = std::move(pair.far)};
        thread_.run([&] {
            made.connection = std::make_unique<Connection>(
                net::make_plain(thread_.reactor(), pair.near), target, cells());
        });
        EXPECT_TRUE(thread_.until([&] { return made.connection->channel().writable; }));
        return made;
    }
    /// Puts a new connection into the pool and gives back its other end.
    Peer put(std::uint32_t target, std::size_t max_idle = 10) {
        Made made = make(target);
        thread_.run([&] { pool_->put(std::move(made.connection), max_idle); });
        return std::move(made.origin);
    }
    /// Takes a connection, uses it to say `word`, and drops it. False: there was none.
    bool take_and_say(std::uint32_t target, std::string_view word) {
        return thread_.run([&] {
            const ConnectionPtr connection = pool_->take(target);
            if (!connection) return false;
            EXPECT_TRUE(connection->is_reused());
            return connection->outbox().write(word);
        });
    }
    telemetry::BackendCells& cells() { return series_.cells(0); }
    std::uint64_t idle() {
        return thread_.run([&] { return cells().idle.value(); });
    }
    std::uint64_t active() {
        return thread_.run([&] { return cells().active.value(); });
    }

    telemetry::BackendSeries series_{"b", 1};
    ReactorThread thread_;
    std::optional<Pool> pool_{thread_.reactor()};
};

TEST_F(PoolTest, GivesTheMostRecentlyUsedConnectionOfTheTarget) {
    Peer first = put(3);
    Peer second = put(3);
    EXPECT_EQ(idle(), 2U);
    EXPECT_FALSE(take_and_say(2, "x"));
    EXPECT_FALSE(take_and_say(9, "x"));
    EXPECT_TRUE(take_and_say(3, "to the second"));
    EXPECT_EQ(second.read_all(), "to the second");
    EXPECT_TRUE(take_and_say(3, "to the first"));
    EXPECT_EQ(first.read_all(), "to the first");
    EXPECT_FALSE(take_and_say(3, "x"));
}

TEST_F(PoolTest, CountsIdleAndActiveConnections) {
    Made made = make(0);
    EXPECT_EQ(active(), 1U);
    thread_.run([&] { pool_->put(std::move(made.connection), 10); });
    EXPECT_EQ(idle(), 1U);
    EXPECT_EQ(active(), 0U);
    thread_.run([&] { made.connection = pool_->take(0); });
    EXPECT_EQ(idle(), 0U);
    EXPECT_EQ(active(), 1U);
    thread_.run([&] { made.connection.reset(); });
    EXPECT_EQ(active(), 0U);
}

TEST_F(PoolTest, KeepsNoMoreThanItMay) {
    Peer kept = put(0, 1);
    Peer too_many = put(0, 1);
    EXPECT_EQ(too_many.read_all(), "");
    EXPECT_EQ(idle(), 1U);
    Peer none = put(1, 0);
    EXPECT_EQ(none.read_all(), "");
}

TEST_F(PoolTest, DropsAConnectionThatThePeerCloses) {
    Peer origin = put(0);
    origin.close();
    EXPECT_TRUE(thread_.until([&] { return cells().idle.value() == 0; }));
    EXPECT_FALSE(take_and_say(0, "x"));
}

TEST_F(PoolTest, DropsAConnectionOnWhichThePeerSpeaksOutOfTurn) {
    Peer origin = put(0);
    origin.send("HTTP/1.1 408 Idle\r\n\r\n");
    EXPECT_TRUE(thread_.until([&] { return cells().idle.value() == 0; }));
    origin.read_all();  // the connection has ended
}

TEST_F(PoolTest, AsksTheSocketWhatNoTurnHasToldYet) {
    Made closed = make(0);
    Made chatty = make(0);
    // All within one turn of the reactor: no event can have told of it.
    thread_.run([&] {
        pool_->put(std::move(closed.connection), 10);
        pool_->put(std::move(chatty.connection), 10);
        closed.origin.close();
        chatty.origin.send("HTTP/1.1 200 OK\r\n\r\n");
        EXPECT_FALSE(pool_->take(0));
    });
    EXPECT_EQ(idle(), 0U);
}

/// Takes a connection from the pool when something happens on a channel.
struct TakeOnEvent final : net::Channel::Owner {
    void unattended(net::Channel&, net::Wake) override {
        if (pool != nullptr) taken.push_back(pool->take(0));
    }
    Pool* pool = nullptr;
    std::vector<ConnectionPtr> taken{};
};

TEST_F(PoolTest, HearsTheWholeTurnBeforeItsFirstEventIsHandled) {
    TakeOnEvent taker;
    Pair pair = Pair::make();
    std::unique_ptr<net::Channel> first;
    thread_.run(
        [&] { first = std::make_unique<net::Channel>(thread_.reactor(), pair.near, &taker); });
    ASSERT_TRUE(thread_.until([&] { return first->writable; }));
    Peer origin = put(0);
    thread_.run([&] {
        taker.pool = &*pool_;
        pair.far.send("x");  // its event is handled first
        origin.send("HTTP/1.1 200 OK\r\n\r\n");
    });
    ASSERT_TRUE(thread_.until([&] { return !taker.taken.empty(); }));
    EXPECT_EQ(taker.taken.front(), nullptr);
    thread_.run([&] {
        first.reset();
        taker.taken.clear();
    });
}

TEST_F(PoolTest, PrefersWhatWasIdleBeforeThisTurn) {
    Peer older = put(0);
    Peer old = put(0);
    Made fresh = make(0);
    thread_.run([&] {
        pool_->put(std::move(fresh.connection), 10);
        EXPECT_TRUE(pool_->take(0)->outbox().write("old"));
        EXPECT_TRUE(pool_->take(0)->outbox().write("older"));
        EXPECT_TRUE(pool_->take(0)->outbox().write("fresh"));
        EXPECT_FALSE(pool_->take(0));
    });
    EXPECT_EQ(old.read_all(), "old");
    EXPECT_EQ(older.read_all(), "older");
    EXPECT_EQ(fresh.origin.read_all(), "fresh");
}

TEST_F(PoolTest, StillKnowsTheOthersAfterOneIsDropped) {
    Peer older = put(0);
    Peer old = put(0);
    thread_.run([&] { older.close(); });
    ASSERT_TRUE(thread_.until([&] { return cells().idle.value() == 1; }));
    Made fresh = make(0);
    thread_.run([&] {
        pool_->put(std::move(fresh.connection), 10);
        EXPECT_TRUE(pool_->take(0)->outbox().write("old"));
        EXPECT_TRUE(pool_->take(0)->outbox().write("fresh"));
    });
    EXPECT_EQ(old.read_all(), "old");
    EXPECT_EQ(fresh.origin.read_all(), "fresh");
}

TEST_F(PoolTest, DoesNotTakeBackAConnectionWithUnreadBytes) {
    Made made = make(0);
    made.origin.send("left over");
    ASSERT_TRUE(thread_.until([&] { return made.connection->channel().readable; }));
    thread_.run([&] { pool_->put(std::move(made.connection), 10); });
    EXPECT_EQ(idle(), 0U);
}

TEST_F(PoolTest, TakesBackAConnectionWhoseLastReadFilledTheBuffer) {
    Made made = make(0);
    thread_.run([&] {
        made.connection->channel().readable = true;  // as such a read leaves it
        pool_->put(std::move(made.connection), 10);
    });
    EXPECT_EQ(idle(), 1U);
}

TEST_F(PoolTest, PassesOverTargetsThatFailedUntilTheyAnswerAgain) {
    thread_.run([&] {
        EXPECT_FALSE(pool_->is_down(4));
        pool_->mark_down(4);
        EXPECT_TRUE(pool_->is_down(4));
        EXPECT_FALSE(pool_->is_down(3));
        pool_->mark_up(4);
        EXPECT_FALSE(pool_->is_down(4));
    });
}

TEST_F(PoolTest, TakesTurnsPerBackend) {
    thread_.run([&] {
        EXPECT_EQ(pool_->next_turn(1), 0U);
        EXPECT_EQ(pool_->next_turn(1), 1U);
        EXPECT_EQ(pool_->next_turn(0), 0U);
        EXPECT_EQ(pool_->next_turn(1), 2U);
    });
}

TEST_F(PoolTest, ClosesAllAtTheEnd) {
    Peer a = put(0);
    Peer b = put(5);
    thread_.run([&] { pool_->close_all(); });
    EXPECT_EQ(a.read_all(), "");
    EXPECT_EQ(b.read_all(), "");
    EXPECT_EQ(idle(), 0U);
}

}  // namespace
}  // namespace sluice::upstream
