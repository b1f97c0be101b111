// SPDX-License-Identifier: Apache-2.0
#include "gateway/sent_key.hpp"

#include <gtest/gtest.h>

#include <string>

#include "gateway/snapshot.hpp"

namespace sluice::gateway {
namespace {

constexpr std::string_view kGood = "good-key-0123456789abc";

Snapshot snapshot(config::Compatibility compatibility = config::Compatibility::standard) {
    Snapshot s;
    s.compatibility = compatibility;
    state::KeyTable<KeyRecord>::Builder keys;
    keys.add(kGood, KeyRecord::of(true, {}));
    s.keys = std::move(keys).build();
    return s;
}

class SentKeyTest : public testing::Test {
protected:
    /// What was sent in x-api-key fields, after both steps of the search.
    SentKey sent(const Snapshot& s, std::initializer_list<std::string_view> values) {
        fields_.clear();
        fields_.push({http::Field::host, "Host", kGood});
        for (const std::string_view value : values)
            fields_.push({http::Field::unknown, "X-Api-KEY", value});
        SentKey key;
        key.begin(s, fields_);
        EXPECT_EQ(key.record(), nullptr) << "nothing is found before find()";
        key.find(s);
        return key;
    }

private:
    http::FieldList fields_{};
};

TEST_F(SentKeyTest, FindsTheRecordOfAKey) {
    const Snapshot s = snapshot();
    const SentKey key = sent(s, {kGood});
    EXPECT_EQ(key.value(), kGood);
    EXPECT_EQ(key.fault(), KeyFault::none);
    EXPECT_EQ(key.record(), s.keys.find(kGood));
    EXPECT_NE(key.record(), nullptr);
}

TEST_F(SentKeyTest, SaysWhyThereIsNoRecord) {
    const Snapshot s = snapshot();
    EXPECT_EQ(sent(s, {}).fault(), KeyFault::missing);
    EXPECT_EQ(sent(s, {""}).fault(), KeyFault::missing);
    EXPECT_EQ(sent(s, {"nobody's"}).fault(), KeyFault::unknown);
    EXPECT_EQ(sent(s, {"nobody's"}).value(), "nobody's");
    EXPECT_EQ(sent(s, {"nobody's"}).record(), nullptr);
    EXPECT_EQ(sent(Snapshot{}, {kGood}).fault(), KeyFault::unknown) << "no keys at all";
}

TEST_F(SentKeyTest, DoesNotHashWhatIsTooLongForAKey) {
    const Snapshot s = snapshot();
    const std::string longest(256, 'k'), longer(257, 'k');
    EXPECT_EQ(sent(s, {longest}).fault(), KeyFault::unknown);
    EXPECT_EQ(sent(s, {longer}).fault(), KeyFault::missing);
    EXPECT_EQ(sent(s, {longer}).value(), "");
}

/// Contract 9.
TEST_F(SentKeyTest, TakesTheLastOfSeveralFieldsInAwsOnly) {
    const Snapshot standard = snapshot(), aws = snapshot(config::Compatibility::aws);
    EXPECT_EQ(sent(standard, {"other", kGood}).fault(), KeyFault::repeated);
    EXPECT_EQ(sent(standard, {"other", kGood}).value(), "");
    EXPECT_EQ(sent(standard, {kGood, kGood}).record(), nullptr);
    EXPECT_EQ(sent(aws, {"other", kGood}).record(), aws.keys.find(kGood));
    EXPECT_EQ(sent(aws, {kGood, "other"}).fault(), KeyFault::unknown);
}

}  // namespace
}  // namespace sluice::gateway
