// SPDX-License-Identifier: Apache-2.0
#include "gateway/chain.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/call.hpp"

namespace sluice::gateway {
namespace {

using ::test::Call;
using ::test::Site;

constexpr const char* kSite = R"(
restApis: [ { id: a, resources: { /x: { GET: { integration: { type: MOCK } } } } } ]
stages: [ { restApiId: a, stageName: s } ]
)";
constexpr const char* kGet = "GET /s/x HTTP/1.1\r\nHost: h\r\n\r\n";

/// Notes that it ran, and says what it is told to say.
class Says final : public Filter {
public:
    Says(std::string name, std::vector<std::string>& ran, Verdict verdict,
         Verdict later = Verdict::pass)
        : name_{std::move(name)}, ran_{ran}, verdict_{verdict}, later_{later} {}

    Verdict on_request(Exchange&) const override {
        ran_.push_back(name_);
        return verdict_;
    }
    Task<Verdict> on_request_async(Exchange&) const override {
        ran_.push_back(name_ + " later");
        co_return later_;
    }

private:
    std::string name_;
    std::vector<std::string>& ran_;
    Verdict verdict_, later_;
};

class ChainTest : public testing::Test {
protected:
    void add(const std::string& name, Verdict verdict, Verdict later = Verdict::pass) {
        filters_.push_back(std::make_unique<Says>(name, ran_, verdict, later));
        chain_.add(*filters_.back());
    }
    Detached resume(std::optional<Verdict>& verdict) {
        verdict = co_await chain_.resume(call_.x());
    }

    Site site_{kSite};
    Call call_{site_, kGet};
    Chain chain_{};
    std::vector<std::string> ran_{};
    std::vector<std::unique_ptr<const Says>> filters_{};
};

TEST_F(ChainTest, PassesWithoutFilters) { EXPECT_EQ(chain_.advance(call_.x()), Verdict::pass); }

TEST_F(ChainTest, RunsFiltersInOrder) {
    add("a", Verdict::pass);
    add("b", Verdict::pass);
    EXPECT_EQ(chain_.advance(call_.x()), Verdict::pass);
    EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(chain_.advance(call_.x()), Verdict::pass) << "none runs twice";
    EXPECT_EQ(ran_.size(), 2U);
}

TEST_F(ChainTest, StopsAtTheFirstReply) {
    add("a", Verdict::pass);
    add("b", Verdict::reply);
    add("c", Verdict::pass);
    EXPECT_EQ(chain_.advance(call_.x()), Verdict::reply);
    EXPECT_EQ(ran_, (std::vector<std::string>{"a", "b"}));
}

TEST_F(ChainTest, GoesOnBehindAFilterThatHadToWait) {
    add("a", Verdict::wait);
    add("b", Verdict::pass);
    add("c", Verdict::wait);
    add("d", Verdict::reply);
    ASSERT_EQ(chain_.advance(call_.x()), Verdict::wait);
    EXPECT_EQ(ran_, std::vector<std::string>{"a"});
    std::optional<Verdict> verdict;
    resume(verdict);
    EXPECT_EQ(verdict, Verdict::reply);
    EXPECT_EQ(ran_, (std::vector<std::string>{"a", "a later", "b", "c", "c later", "d"}));
}

TEST_F(ChainTest, StopsWhenTheWaitEndsInAReply) {
    add("a", Verdict::wait, Verdict::reply);
    add("b", Verdict::pass);
    ASSERT_EQ(chain_.advance(call_.x()), Verdict::wait);
    std::optional<Verdict> verdict;
    resume(verdict);
    EXPECT_EQ(verdict, Verdict::reply);
    EXPECT_EQ(ran_, (std::vector<std::string>{"a", "a later"}));
}

TEST_F(ChainTest, RefusesMoreFiltersThanItHolds) {
    for (std::size_t i = 0; i < Chain::kMost; ++i)
        add("a", Verdict::pass);
    EXPECT_THROW(add("one too many", Verdict::pass), std::logic_error);
    EXPECT_EQ(chain_.advance(call_.x()), Verdict::pass);
    EXPECT_EQ(ran_.size(), Chain::kMost);
}

}  // namespace
}  // namespace sluice::gateway
