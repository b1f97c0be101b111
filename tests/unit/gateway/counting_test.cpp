// SPDX-License-Identifier: Apache-2.0
#include "gateway/counting.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/call.hpp"

namespace sluice::gateway {
namespace {

using std::chrono::milliseconds;
using ::test::Call;
using ::test::Site;

class CountingTest : public testing::Test {
protected:
    telemetry::SeriesCells& cells() { return site_.metrics.series({"a", "s", "", ""}).cells(0); }
    Exchange& x() { return call_.x(); }
    /// Answers with this status so far.
    double answers(int status) {
        const std::string text = site_.metrics.render();
        const std::string code = "code=\"" + std::to_string(status) + "\"";
        const auto at = text.find(code);
        return at == text.npos ? 0 : std::stod(text.substr(text.find("} ", at) + 2));
    }

    Site site_{R"(
restApis: [ { id: a, resources: { /x: { GET: { integration: { type: MOCK } } } } } ]
stages: [ { restApiId: a, stageName: s } ]
)"};
    Call call_{site_, "GET /s/x HTTP/1.1\r\nHost: h\r\n\r\n"};
};

TEST_F(CountingTest, CountsARequestUnderItsStatus) {
    count_response(x(), 404);
    count_end(x(), milliseconds{3});
    EXPECT_EQ(cells().requests.value(), 1U);
    EXPECT_EQ(cells().errors_4xx.value(), 1U);
    EXPECT_EQ(cells().errors_5xx.value(), 0U);
    EXPECT_EQ(answers(404), 1);
    EXPECT_EQ(cells().latency.sum_nanoseconds.value(), 3'000'000U);
}

TEST_F(CountingTest, CountsTheAnswerThatWasSentInPlaceOfAnother) {
    count_response(x(), 502);
    count_response(x(), 200);
    count_end(x(), milliseconds{3});
    EXPECT_EQ(cells().requests.value(), 1U);
    EXPECT_EQ(cells().errors_5xx.value(), 0U);
    EXPECT_EQ(answers(502), 0);
    EXPECT_EQ(answers(200), 1);
}

TEST_F(CountingTest, Counts499WhenThereWasNoAnswer) {
    count_end(x(), milliseconds{3});
    EXPECT_EQ(cells().requests.value(), 1U);
    EXPECT_EQ(cells().errors_4xx.value(), 1U);
    EXPECT_EQ(answers(499), 1);
}

TEST_F(CountingTest, CountsWhoRefusedAndWhatTheCacheDid) {
    x().refused_by = state::Level::account;
    x().cache = CacheStatus::bypass;
    count_response(x(), 429);
    count_response(x(), 429);
    EXPECT_EQ(cells().throttled[static_cast<std::size_t>(state::Level::account)].value(), 1U);
    EXPECT_EQ(cells().cache_misses.value(), 1U) << "the backend was asked";
    EXPECT_EQ(cells().cache_hits.value(), 0U);
}

TEST_F(CountingTest, CountsWhatReachedNoStageApart) {
    x().stage = nullptr;
    count_response(x(), 403);
    count_end(x(), milliseconds{3});
    EXPECT_EQ(site_.metrics.worker(0).unrouted.value(), 1U);
    EXPECT_EQ(cells().requests.value(), 0U);
}

}  // namespace
}  // namespace sluice::gateway
