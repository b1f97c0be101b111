// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <map>
#include <thread>

namespace sluice::net {
namespace {

using namespace std::chrono_literals;

Endpoint v4(const std::string& address, std::uint16_t port) {
    return parse_literal(address, port).value();
}

/// A name server whose answers the test decides. Called from lookup threads.
class Names {
public:
    void answer(const std::string& host, std::vector<std::string> addresses) {
        const std::lock_guard lock{mutex_};
        answers_[host] = std::move(addresses);
    }
    /// Lookups of this name do not return before release().
    void hold(const std::string& host) {
        const std::lock_guard lock{mutex_};
        held_ = host;
    }
    void release() {
        const std::lock_guard lock{mutex_};
        held_.clear();
        released_.notify_all();
    }
    int asked(const std::string& host) {
        const std::lock_guard lock{mutex_};
        return asked_[host];
    }
    Result<Endpoints> look_up(const std::string& host, std::uint16_t port) {
        std::unique_lock lock{mutex_};
        ++asked_[host];
        released_.wait(lock, [&] { return held_ != host; });
        const auto found = answers_.find(host);
        if (found == answers_.end()) return Error{Origin::upstream, "unresolvable", "NXDOMAIN"};
        Endpoints out;
        for (const auto& address : found->second)
            out.push_back(v4(address, port));
        return out;
    }

private:
    std::mutex mutex_;
    std::condition_variable released_;
    std::map<std::string, std::vector<std::string>> answers_;
    std::map<std::string, int> asked_;
    std::string held_;
};

class ResolverTest : public ::testing::Test {
protected:
    ResolverTest() : names_{std::make_shared<Names>()} {}

    Resolver::Settings settings() {
        return {
            .period = 1ms,
            .first_retry = 1ms,
            .last_retry = 4ms,
            .on_notice =
                [this](const Resolver::Notice& n) {
                    notices_.push_back(n.host + (n.failing ? " fails: " : " is back") + n.detail +
                                       " " + std::to_string(n.addresses_held));
                },
            .lookup = [names = names_](const std::string& host,
                                       std::uint16_t port) { return names->look_up(host, port); }};
    }
    template <class Condition>
    bool run_until(Condition met) {
        const auto give_up = std::chrono::steady_clock::now() + 10s;
        io_.restart();
        const auto work = boost::asio::make_work_guard(io_);
        while (!met() && std::chrono::steady_clock::now() < give_up)
            io_.run_one_for(10ms);
        return met();
    }
    static std::vector<std::string> texts(const Endpoints& list) {
        std::vector<std::string> out;
        for (const Endpoint& e : list)
            out.push_back(to_string(e));
        return out;
    }
    using Texts = std::vector<std::string>;

    boost::asio::io_context io_;
    std::shared_ptr<Names> names_;
    Texts notices_;
};

TEST(ParseLiteral, KnowsAddressesFromNames) {
    const auto text = [](const std::string& host) {
        const auto e = parse_literal(host, 80);
        return e ? to_string(*e) : "none";
    };
    EXPECT_EQ(text("127.0.0.1"), "127.0.0.1:80");
    EXPECT_EQ(text("::1"), "[::1]:80");
    EXPECT_EQ(text("[::1]"), "[::1]:80");
    EXPECT_EQ(text("fe80::1%lo"), "[fe80::1%lo]:80");
    for (const char* const no :
         {"localhost", "", "[]", "[127.0.0.1]", "[::1", "1.2.3.4.5", "a b"}) {
        EXPECT_EQ(text(no), "none") << no;
    }
}

TEST(SystemLookup, FindsTheLoopbackAndSaysWhyItFailed) {
    const auto found = system_lookup("localhost", 8080);
    ASSERT_TRUE(found);
    for (const Endpoint& e : *found) {
        EXPECT_TRUE(to_string(e) == "127.0.0.1:8080" || to_string(e) == "[::1]:8080");
    }
    EXPECT_FALSE(system_lookup("", 80));
    const auto bad = system_lookup("not a name", 80);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, "unresolvable");
    EXPECT_FALSE(bad.error().detail.empty());
}

TEST(Endpoint, ComparesAddressPortAndFamily) {
    EXPECT_EQ(v4("127.0.0.1", 80), v4("127.0.0.1", 80));
    EXPECT_FALSE(v4("127.0.0.1", 80) == v4("127.0.0.1", 81));
    EXPECT_FALSE(v4("127.0.0.1", 80) == v4("127.0.0.2", 80));
    EXPECT_FALSE(v4("::1", 80) == v4("127.0.0.1", 80));
    EXPECT_FALSE(v4("::1", 80) == v4("::2", 80));
}

TEST_F(ResolverTest, AnswersLiteralsAtOnceAndAsksNobody) {
    Resolver resolver{io_, settings()};
    Texts heard;
    const auto watch =
        resolver.watch("127.0.0.1", 8080, [&](const Endpoints& list) { heard = texts(list); });
    EXPECT_EQ(heard, Texts{"127.0.0.1:8080"});
    EXPECT_EQ(watch.addresses->version(), 1U);
    EXPECT_EQ(resolver.unresolved(), 0U);
    EXPECT_EQ(names_->asked("127.0.0.1"), 0);
}

TEST_F(ResolverTest, FollowsTheNameWhileItChanges) {
    names_->answer("pets", {"10.0.0.1", "10.0.0.2"});
    Resolver resolver{io_, settings()};
    std::vector<Texts> heard;
    const auto watch =
        resolver.watch("pets", 80, [&](const Endpoints& list) { heard.push_back(texts(list)); });
    EXPECT_EQ(watch.addresses->version(), 0U);
    EXPECT_TRUE(watch.addresses->get()->empty());
    EXPECT_EQ(resolver.unresolved(), 1U);
    ASSERT_TRUE(run_until([&] { return watch.addresses->version() == 1; }));
    EXPECT_EQ(resolver.unresolved(), 0U);
    EXPECT_EQ(texts(*watch.addresses->get()), (Texts{"10.0.0.1:80", "10.0.0.2:80"}));

    names_->answer("pets", {"10.0.0.2", "10.0.0.1"});
    const int before = names_->asked("pets");
    ASSERT_TRUE(run_until([&] { return names_->asked("pets") > before + 3; }));
    EXPECT_EQ(watch.addresses->version(), 1U) << "another order is no change";

    names_->answer("pets", {"10.0.0.3"});
    ASSERT_TRUE(run_until([&] { return watch.addresses->version() == 2; }));
    EXPECT_EQ(heard, (std::vector<Texts>{{"10.0.0.1:80", "10.0.0.2:80"}, {"10.0.0.3:80"}}));
    EXPECT_TRUE(notices_.empty());
}

TEST_F(ResolverTest, HoldsTheLastGoodSetAndSpeaksOncePerChange) {
    names_->answer("pets", {"10.0.0.1"});
    Resolver resolver{io_, settings()};
    const auto watch = resolver.watch("pets", 80);
    ASSERT_TRUE(run_until([&] { return watch.addresses->version() == 1; }));
    names_->answer("pets", {});
    ASSERT_TRUE(run_until([&] { return !notices_.empty(); }));
    const int before = names_->asked("pets");
    ASSERT_TRUE(run_until([&] { return names_->asked("pets") > before + 3; }));
    EXPECT_EQ(texts(*watch.addresses->get()), Texts{"10.0.0.1:80"});
    names_->answer("pets", {"10.0.0.1"});
    ASSERT_TRUE(run_until([&] { return notices_.size() == 2; }));
    EXPECT_EQ(notices_, (Texts{"pets fails: no addresses 1", "pets is back 1"}));
    EXPECT_EQ(watch.addresses->version(), 1U) << "nothing changed for the workers";
}

TEST_F(ResolverTest, ANameUnknownAtFirstIsTakenWhenItAppears) {
    Resolver resolver{io_, settings()};
    const auto watch = resolver.watch("later", 80);
    ASSERT_TRUE(run_until([&] { return names_->asked("later") > 3; }));
    EXPECT_EQ(notices_, Texts{"later fails: NXDOMAIN 0"});
    EXPECT_EQ(resolver.unresolved(), 1U);
    names_->answer("later", {"10.0.0.9"});
    ASSERT_TRUE(run_until([&] { return watch.addresses->version() == 1; }));
    EXPECT_EQ(notices_.back(), "later is back 1");
}

TEST_F(ResolverTest, RetriesLessAndLessOften) {
    auto slow = settings();
    slow.first_retry = 20ms;
    slow.last_retry = 1h;
    Resolver resolver{io_, slow};
    const auto began = std::chrono::steady_clock::now();
    resolver.watch("gone", 80);
    ASSERT_TRUE(run_until([&] { return names_->asked("gone") == 4; }));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms + 40ms + 80ms);
}

TEST_F(ResolverTest, ASilentNameServerDelaysNobodyElse) {
    names_->hold("silent");
    names_->answer("pets", {"10.0.0.1"});
    {
        Resolver resolver{io_, settings()};
        const auto silent = resolver.watch("silent", 80);
        ASSERT_TRUE(run_until([&] { return names_->asked("silent") == 1; }));
        const auto pets = resolver.watch("pets", 80);
        ASSERT_TRUE(run_until([&] { return pets.addresses->version() == 1; }));
        EXPECT_EQ(silent.addresses->version(), 0U);
        EXPECT_EQ(names_->asked("silent"), 1) << "one lookup at a time";
    }  // and not the end of the resolver either
    names_->release();
}

TEST_F(ResolverTest, AnAnswerThatComesTooLateIsDropped) {
    names_->answer("late", {"10.0.0.1"});
    names_->hold("late");
    Resolver resolver{io_, settings()};
    bool heard = false;
    const auto watch = resolver.watch("late", 80, [&](const Endpoints&) { heard = true; });
    ASSERT_TRUE(run_until([&] { return names_->asked("late") == 1; }));
    resolver.unwatch(watch.id);
    const auto again = resolver.watch("late", 80);
    ASSERT_TRUE(run_until([&] { return names_->asked("late") == 2; }));
    names_->release();
    ASSERT_TRUE(run_until([&] { return again.addresses->version() == 1; }));
    EXPECT_FALSE(heard);
    EXPECT_EQ(watch.addresses->version(), 0U);
}

TEST_F(ResolverTest, WatchesOfOneNameShareItAndEndOneByOne) {
    names_->answer("pets", {"10.0.0.1"});
    Resolver resolver{io_, settings()};
    const auto first = resolver.watch("pets", 80);
    const auto second = resolver.watch("pets", 80);
    const auto other_port = resolver.watch("pets", 81);
    EXPECT_EQ(first.addresses, second.addresses);
    EXPECT_NE(first.addresses, other_port.addresses);
    ASSERT_TRUE(run_until([&] { return first.addresses->version() == 1; }));
    EXPECT_EQ(resolver.watch("pets", 80).addresses, first.addresses) << "known at once";
    resolver.unwatch(first.id);
    resolver.unwatch(first.id);  // twice does no harm
    names_->answer("pets", {"10.0.0.2"});
    ASSERT_TRUE(run_until([&] { return second.addresses->version() == 2; }));
}

TEST_F(ResolverTest, ANameNobodyWatchesIsNotLookedUp) {
    names_->answer("pets", {"10.0.0.1"});
    names_->answer("cats", {"10.0.0.1"});
    Resolver resolver{io_, settings()};
    const auto pets = resolver.watch("pets", 80);
    const auto cats = resolver.watch("cats", 80);
    ASSERT_TRUE(run_until([&] { return pets.addresses->version() == 1; }));
    resolver.unwatch(pets.id);
    // At most the lookup that was under way.
    const int asked = names_->asked("pets");
    const int before = names_->asked("cats");
    ASSERT_TRUE(run_until([&] { return names_->asked("cats") > before + 5; }));
    EXPECT_LE(names_->asked("pets"), asked + 1);
}

TEST_F(ResolverTest, ACallbackMayUnwatchItselfAndOthers) {
    names_->answer("pets", {"10.0.0.1"});
    Resolver resolver{io_, settings()};
    int calls = 0;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    const auto end_both = [&](const Endpoints&) {
        ++calls;
        resolver.unwatch(first);
        resolver.unwatch(second);
    };
    first = resolver.watch("pets", 80, end_both).id;
    second = resolver.watch("pets", 80, end_both).id;
    ASSERT_TRUE(run_until([&] { return calls > 0; }));
    EXPECT_EQ(calls, 1);
}

TEST_F(ResolverTest, WorkersReadWhileItPublishes) {
    names_->answer("pets", {"10.0.0.1"});
    Resolver resolver{io_, settings()};
    const auto watch = resolver.watch("pets", 80);
    std::atomic<bool> stop{false};
    std::atomic<int> torn{0};
    std::thread worker{[&, addresses = watch.addresses] {
        std::uint64_t seen = 0;
        while (!stop) {
            const auto version = addresses->version();
            if (version == seen) continue;
            seen = version;
            const auto list = addresses->get();
            for (const Endpoint& e : *list)
                torn += e == list->front() ? 0 : 1;
        }
    }};
    for (int i = 0; i < 20; ++i) {
        const auto address = "10.0.1." + std::to_string(i);
        names_->answer("pets", {address});
        EXPECT_TRUE(
            run_until([&] { return texts(*watch.addresses->get()) == Texts{address + ":80"}; }));
    }
    stop = true;
    worker.join();
    EXPECT_EQ(torn, 0);
    EXPECT_GE(watch.addresses->version(), 20U);
}

}  // namespace
}  // namespace sluice::net
