// SPDX-License-Identifier: Apache-2.0
#include "app/redis_settings.hpp"

#include <gtest/gtest.h>

namespace sluice::app {
namespace {

config::Redis with(const std::string& url) {
    config::Redis redis;
    redis.url = url;
    return redis;
}

TEST(RedisSettings, TakesTheUrlApart) {
    const auto plain = redis_settings(with("redis://10.0.0.5"));
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->host, "10.0.0.5");
    EXPECT_EQ(plain->port, "6379");
    EXPECT_EQ(plain->database, 0);
    EXPECT_FALSE(plain->tls);

    const auto all = redis_settings(with("rediss://me:p%40ss%2Fword@[::1]:7000/3"));
    ASSERT_TRUE(all);
    EXPECT_TRUE(all->tls);
    EXPECT_EQ(all->host, "::1");
    EXPECT_EQ(all->port, "7000");
    EXPECT_EQ(all->user, "me");
    EXPECT_EQ(all->password, "p@ss/word");
    EXPECT_EQ(all->database, 3);

    const auto password = redis_settings(with("redis://:secret@redis.internal:6380/"));
    ASSERT_TRUE(password);
    EXPECT_EQ(password->user, "");
    EXPECT_EQ(password->password, "secret");
}

TEST(RedisSettings, RefusesWhatItCannotMean) {
    for (const char* url :
         {"redis://", "http://h", "redis://h/x", "redis://h/-1", "redis://h:0", "redis://h:99999",
          "redis://u@h", "redis://h/0?x=1", "redis://h/0#f", "redis://a:se cret@h", "h:6379", ""}) {
        const auto settings = redis_settings(with(url));
        ASSERT_FALSE(settings) << url;
        EXPECT_EQ(settings.error().detail.find("se cret"), std::string::npos);
    }
}

}  // namespace
}  // namespace sluice::app
