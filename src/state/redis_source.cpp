// SPDX-License-Identifier: Apache-2.0
#include "state/redis_source.hpp"

#include <hiredis/hiredis.h>

#include <charconv>

namespace sluice::state {

namespace {

using std::chrono::nanoseconds;

// A gateway that was not heard of for this long is not counted any more.
constexpr int kAliveMillis = 3'000;
constexpr std::int64_t kDaySeconds = 86'400;
// A bucket that never refills is asked about again after a while: its limit may change.
constexpr nanoseconds kNever = std::chrono::minutes{10};

template <class T>
T number(const std::string& text) {
    T value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string exact(double value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value);
    return {text, end.ptr};
}

std::int64_t seconds_of(WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

struct Window {
    std::string name, begins, ends;
    Window(const QuotaRule& rule, std::int32_t day)
        : name{std::to_string(day)},
          begins{std::to_string(std::int64_t{day} * kDaySeconds)},
          ends{std::to_string(seconds_of(rule.window_end(day)))} {}
};

}  // namespace

void RedisClock::saw(std::int64_t seconds, std::int64_t micros, TimePoint sent, TimePoint heard) {
    const std::int64_t told = (seconds * 1'000'000 + micros) * 1'000;
    const std::int64_t latest = told - nanoseconds{sent.time_since_epoch()}.count();
    const std::int64_t earliest = told - nanoseconds{heard.time_since_epoch()}.count();
    const std::int64_t held = offset_.load(std::memory_order_relaxed);
    // Rather a round trip ahead of Redis than behind it: a window that has ended there must not
    // be open here.
    if (held > latest || held < earliest) offset_.store(latest, std::memory_order_relaxed);
}

WallTime RedisSource::wall(TimePoint now) const {
    const auto since = now.time_since_epoch() + nanoseconds{offset_.load()};
    return WallTime{std::chrono::floor<std::chrono::milliseconds>(since)};
}

std::vector<std::string> RedisSource::texts_of(const redisReply* reply, std::size_t least) {
    std::vector<std::string> texts;
    if (reply == nullptr) return texts;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements >= least) {
        for (std::size_t i = 0; i < reply->elements; ++i) {
            const redisReply& item = *reply->element[i];
            if (item.type != REDIS_REPLY_STRING && item.type != REDIS_REPLY_STATUS) break;
            texts.emplace_back(item.str, item.len);
        }
        if (texts.size() == reply->elements) return texts;
        texts.clear();
    }
    link_.renew(reply->type == REDIS_REPLY_ERROR ? std::string{reply->str, reply->len}
                                                 : "an answer of another kind than expected");
    return texts;
}

void RedisSource::see_time(const std::vector<std::string>& texts, TimePoint sent) {
    clock_.saw(number<std::int64_t>(texts[texts.size() - 2]), number<std::int64_t>(texts.back()),
               sent, std::chrono::steady_clock::now());
}

void RedisSource::ask(BucketAsk ask, std::function<void(const BucketAnswer&)> done) {
    link_.run(bucket_script(), {names_.bucket(ask.name)},
              {exact(ask.shape.rate()), std::to_string(ask.shape.burst()), std::to_string(ask.want),
               std::to_string(ask.back)},
              [this, done = std::move(done),
               sent = std::chrono::steady_clock::now()](const redisReply* reply) {
                  BucketAnswer answer;
                  const auto texts = texts_of(reply, 5);
                  if (texts.empty()) {
                      ++away_answers_;
                      return done(answer);
                  }
                  see_time(texts, sent);
                  answer.reach = StoreReach::reached;
                  answer.granted = number<std::int64_t>(texts[0]);
                  const auto retry = number<std::int64_t>(texts[1]);
                  answer.retry = retry < 0 ? kNever : std::chrono::microseconds{retry};
                  answer.available = number<double>(texts[2]);
                  done(answer);
              });
}

void RedisSource::ask(QuotaAsk ask, std::function<void(const QuotaAnswer&)> done) {
    const Window window{ask.rule, ask.window};
    const std::int32_t kept =
        ask.key.starts_with("ip:") ? retention_.address_days : retention_.days;
    link_.run(quota_script(), {names_.quota(ask.plan, ask.key), names_.days(ask.plan, ask.key)},
              {instance_, window.name, window.begins, window.ends, std::to_string(ask.rule.limit),
               std::to_string(ask.net), std::to_string(ask.owed), std::to_string(ask.want),
               std::to_string(ask.spare), std::to_string(kExactBelow),
               std::to_string(kept * kDaySeconds)},
              [this, done = std::move(done),
               sent = std::chrono::steady_clock::now()](const redisReply* reply) {
                  QuotaAnswer answer;
                  const auto texts = texts_of(reply, 6);
                  if (texts.empty()) {
                      ++away_answers_;
                      return done(answer);
                  }
                  see_time(texts, sent);
                  answer.reach = StoreReach::reached;
                  answer.is_other_window = texts[0] == "other";
                  answer.granted = number<std::int64_t>(texts[1]);
                  answer.remaining = number<std::int64_t>(texts[2]);
                  answer.net = number<std::int64_t>(texts[3]);
                  done(answer);
              });
}

void RedisSource::beat(std::function<void(Beat)> done) {
    link_.run(heartbeat_script(), {names_.alive(), names_.mark()},
              {instance_, std::to_string(kAliveMillis), "stay"},
              [this, done = std::move(done),
               sent = std::chrono::steady_clock::now()](const redisReply* reply) {
                  const auto texts = texts_of(reply, 4);
                  if (texts.empty()) return done(Beat::failed);
                  see_time(texts, sent);
                  heard_of(std::max<std::int64_t>(number<std::int64_t>(texts[0]), 1));
                  const bool is_new = !mark_.empty() && mark_ != texts[1];
                  mark_ = texts[1];
                  done(is_new ? Beat::data_lost : Beat::same_data);
              });
}

// Fewer only when they stay fewer: a Redis that has just come back knows nobody yet.
void RedisSource::heard_of(std::int64_t nodes) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (nodes >= nodes_) {
        nodes_ = nodes;
        fewer_since_.reset();
    } else if (!fewer_since_) {
        fewer_since_ = now;
    } else if (now - *fewer_since_ >= std::chrono::milliseconds{kAliveMillis}) {
        nodes_ = nodes;
    }
}

void RedisSource::leave(std::function<void()> done) {
    link_.run(heartbeat_script(), {names_.alive(), names_.mark()},
              {instance_, std::to_string(kAliveMillis), "leave"},
              [done = std::move(done)](const redisReply*) { done(); });
}

void RedisSource::set_remaining(const std::string& plan, const std::string& key,
                                const QuotaRule& rule, std::int64_t remaining,
                                std::function<void(Result<void>)> done) {
    const Window window{rule, rule.window_at(wall(std::chrono::steady_clock::now()))};
    link_.run(extension_script(), {names_.quota(plan, key), names_.days(plan, key)},
              {window.name, window.begins, window.ends, std::to_string(rule.limit),
               std::to_string(remaining), std::to_string(retention_.days * kDaySeconds)},
              [this, done = std::move(done)](const redisReply* reply) {
                  const auto texts = texts_of(reply, 3);
                  if (!texts.empty() && texts[0] == "set") return done({});
                  done(Error{Origin::store, "redis_away",
                             texts.empty() ? "Redis is away" : "the window has just ended",
                             Retry::always});
              });
}

}  // namespace sluice::state
