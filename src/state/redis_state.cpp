// SPDX-License-Identifier: Apache-2.0
#include "sluice/state/redis_state.hpp"

#include <hiredis/hiredis.h>
#include <openssl/rand.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <thread>

#include "state/bucket_leases.hpp"
#include "state/quota_leases.hpp"
#include "state/redis_usage_store.hpp"

namespace sluice::state {

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kBeat{1000};
constexpr milliseconds kFirstConnection{1000};
constexpr std::size_t kSlice = 200;

std::string make_instance() {
    std::array<unsigned char, 6> bytes{};
    RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    std::string text;
    for (const unsigned char byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

RedisLink::Settings link_settings(const RedisSettings& s,
                                  std::shared_ptr<const net::ClientTls> tls) {
    RedisLink::Settings settings;
    settings.host = s.host;
    settings.port = s.port;
    settings.user = s.user;
    settings.password = s.password;
    settings.database = s.database;
    settings.tls = std::move(tls);
    settings.patience = s.patience;
    return settings;
}

class RedisStateImpl final : public RedisState, private SharedLimits, private RedisCalls {
public:
    RedisStateImpl(RedisSettings settings, std::shared_ptr<const net::ClientTls> tls)
        : settings_{std::move(settings)},
          instance_{make_instance()},
          link_{io_,
                link_settings(settings_, std::move(tls)),
                {.up = [this] { beat(); }, .down = [this](const auto& why) { lost(why); }}},
          source_{link_, RedisNames{settings_.prefix}, instance_, settings_.retention, offset_},
          buckets_{source_, {settings_.lease, settings_.away, [this] { look_soon(); }}},
          quotas_{source_, {settings_.lease, settings_.away, [this] { look_soon(); }}} {
        // Until Redis has said what time it is.
        offset_ = nanoseconds{wall_now().time_since_epoch()}.count() -
                  nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}.count();
    }
    ~RedisStateImpl() override { RedisStateImpl::stop(); }

    void start();
    SharedLimits& limits() override { return *this; }
    std::unique_ptr<UsageStore> usage_store() override {
        return make_redis_usage_store(*this, RedisNames{settings_.prefix}, instance_,
                                      settings_.retention);
    }
    Result<void> set_remaining(const std::string& plan, const std::string& key, const QuotaRule&,
                               std::int64_t remaining) override;
    Stats stats() const override;
    void stop() override;

private:
    struct Asked {
        LeaseNeeds needs;
        std::shared_ptr<LeaseWaiter> waiter;
    };
    void ask(LeaseNeeds, std::shared_ptr<LeaseWaiter>) override;
    Result<Answers> call(std::vector<Call>) override;
    Result<void> call_slice(std::span<Call>, std::size_t first, Answers&);
    void take_asked();
    void look();
    void look_soon();
    void tick();
    void beat();
    void lost(const std::string& why);
    void reached(bool forgot);
    void publish();
    void say_goodbye();

    const RedisSettings settings_;
    const std::string instance_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    RedisLink link_;
    RedisSource source_;
    BucketLeases buckets_;
    QuotaLeases quotas_;
    asio::steady_timer look_timer_{io_};
    asio::steady_timer beat_timer_{io_};
    std::optional<TimePoint> next_look_{};
    bool will_look_ = false;
    bool is_reached_ = false;
    bool is_stopping_ = false;
    std::uint64_t absences_ = 0;
    std::uint64_t asks_ = 0;
    std::optional<TimePoint> away_since_{};
    std::promise<void> first_{};
    bool is_first_ = true;

    std::mutex mutex_;  ///< guards asked_
    std::vector<Asked> asked_;
    mutable std::mutex stats_mutex_;
    Stats stats_{};
    std::atomic<bool> is_over_{false};
    std::thread thread_;
};

void RedisStateImpl::start() {
    auto connected = first_.get_future();
    asio::post(io_, [this] {
        link_.start();
        tick();
    });
    thread_ = std::thread{[this] { io_.run(); }};
    (void)connected.wait_for(kFirstConnection);
}

void RedisStateImpl::ask(LeaseNeeds needs, std::shared_ptr<LeaseWaiter> waiter) {
    {
        const std::lock_guard lock{mutex_};
        asked_.push_back({std::move(needs), std::move(waiter)});
        if (asked_.size() > 1) return;  // whoever was first has called the thread
    }
    asio::post(io_, [this] { take_asked(); });
}

void RedisStateImpl::take_asked() {
    std::vector<Asked> asked;
    {
        const std::lock_guard lock{mutex_};
        asked.swap(asked_);
    }
    const TimePoint now = std::chrono::steady_clock::now();
    asks_ += asked.size();
    for (Asked& one : asked) {
        const auto pending = std::make_shared<PendingAsk>(std::move(one.waiter));
        for (BucketNeed& need : one.needs.buckets)
            buckets_.ask(std::move(need), pending, now);
        for (QuotaNeed& need : one.needs.quotas)
            quotas_.ask(std::move(need), pending, now);
    }
    look();
}

/// After what goes on now: answers make things due, too.
void RedisStateImpl::look_soon() {
    if (std::exchange(will_look_, true)) return;
    asio::post(io_, [this] {
        will_look_ = false;
        look();
    });
}

/// Looks at what is due, and at nothing while nothing is held.
void RedisStateImpl::look() {
    if (is_stopping_) return;
    const TimePoint now = std::chrono::steady_clock::now();
    const auto bucket = buckets_.look(now);
    const auto quota = quotas_.look(now);
    auto next = bucket;
    if (quota && (!next || *quota < *next)) next = quota;
    if (!next || (next_look_ && *next_look_ <= *next && *next_look_ > now)) return;
    next_look_ = next;
    look_timer_.expires_at(*next);
    look_timer_.async_wait([this](boost::system::error_code stopped) {
        if (stopped) return;
        next_look_.reset();
        look();
    });
}

void RedisStateImpl::tick() {
    beat_timer_.expires_after(kBeat);
    beat_timer_.async_wait([this](boost::system::error_code stopped) {
        if (stopped || is_stopping_) return;
        if (link_.is_up()) beat();
        publish();
        tick();
    });
}

void RedisStateImpl::beat() {
    if (is_stopping_) return;
    source_.beat([this](RedisSource::Beat beat) {
        if (beat != RedisSource::Beat::failed) reached(beat == RedisSource::Beat::data_lost);
    });
}

void RedisStateImpl::reached(bool forgot) {
    if (std::exchange(is_reached_, true) && !forgot) return;
    link_.settle();
    const TimePoint now = std::chrono::steady_clock::now();
    buckets_.came_back();
    quotas_.came_back(forgot, now);
    if (away_since_) {
        const auto absence = std::chrono::duration_cast<milliseconds>(now - *away_since_);
        away_since_.reset();
        if (settings_.on_back) settings_.on_back(absence);
    }
    publish();
    if (std::exchange(is_first_, false)) first_.set_value();
    look();
}

void RedisStateImpl::lost(const std::string& why) {
    is_reached_ = false;
    if (!away_since_) {
        away_since_ = std::chrono::steady_clock::now();
        ++absences_;
        if (settings_.on_away) settings_.on_away(why);
    }
    publish();
}

Result<void> RedisStateImpl::set_remaining(const std::string& plan, const std::string& key,
                                           const QuotaRule& rule, std::int64_t remaining) {
    if (is_over_) return Error{Origin::store, "redis_away", "stopped", Retry::never};
    const auto done = std::make_shared<std::promise<Result<void>>>();
    auto result = done->get_future();
    asio::post(io_, [this, plan, key, rule, remaining, done] {
        source_.set_remaining(plan, key, rule, remaining,
                              [done](Result<void> said) { done->set_value(std::move(said)); });
    });
    return result.get();
}

/// An answer as texts: one, or a list of them.
std::vector<std::string> texts_of(const redisReply& reply) {
    if (reply.type == REDIS_REPLY_INTEGER) return {std::to_string(reply.integer)};
    if (reply.type == REDIS_REPLY_STRING || reply.type == REDIS_REPLY_STATUS) {
        return {std::string{reply.str, reply.len}};
    }
    std::vector<std::string> texts;
    for (std::size_t i = 0; reply.type == REDIS_REPLY_ARRAY && i < reply.elements; ++i) {
        const redisReply& item = *reply.element[i];
        const bool is_text = item.type == REDIS_REPLY_STRING || item.type == REDIS_REPLY_STATUS;
        texts.push_back(is_text ? std::string{item.str, item.len} : std::to_string(item.integer));
    }
    return texts;
}

Result<RedisCalls::Answers> RedisStateImpl::call(std::vector<Call> calls) {
    if (is_over_) return Error{Origin::store, "redis_away", "stopped", Retry::never};
    Answers answers(calls.size());
    for (std::size_t first = 0; first < calls.size(); first += kSlice) {
        const std::size_t count = std::min(kSlice, calls.size() - first);
        const auto done = call_slice(std::span{calls}.subspan(first, count), first, answers);
        if (!done) return done.error();
    }
    return answers;
}

Result<void> RedisStateImpl::call_slice(std::span<Call> calls, std::size_t first,
                                        Answers& answers) {
    struct Slice {
        std::size_t open;
        std::string failure{};
        std::promise<void> done{};
    };
    const auto slice = std::make_shared<Slice>(Slice{.open = calls.size()});
    auto all = slice->done.get_future();
    asio::post(io_, [this, calls, first, slice, &answers] {
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const auto answer = [slice, out = &answers[first + i]](const redisReply* reply) {
                if (reply == nullptr) {
                    slice->failure = "Redis is away";
                } else if (reply->type == REDIS_REPLY_ERROR) {
                    slice->failure = {reply->str, reply->len};
                } else {
                    *out = texts_of(*reply);
                }
                if (--slice->open == 0) slice->done.set_value();
            };
            if (calls[i].script == nullptr) {
                link_.call(calls[i].words, answer);
            } else {
                const auto& words = calls[i].words;
                link_.run(*calls[i].script, {words[0]}, {words.begin() + 1, words.end()}, answer);
            }
        }
    });
    all.wait();
    if (slice->failure.empty()) return {};
    return Error{Origin::store, "redis_away", slice->failure, Retry::always};
}

void RedisStateImpl::publish() {
    const RedisLink::Stats link = link_.stats();
    const std::lock_guard lock{stats_mutex_};
    stats_ = {.connected = is_reached_,
              .connects = link.connects,
              .absences = absences_,
              .calls = link.calls,
              .waited_ns = static_cast<std::uint64_t>(link.waited.count()),
              .scripts_sent = link.scripts_sent,
              .bucket_grants = buckets_.grants(),
              .quota_grants = quotas_.grants(),
              .tokens = buckets_.tokens(),
              .away_answers = source_.away_answers(),
              .asks = asks_,
              .nodes = source_.nodes(),
              .leases = buckets_.size() + quotas_.size()};
}

RedisState::Stats RedisStateImpl::stats() const {
    const std::lock_guard lock{stats_mutex_};
    return stats_;
}

void RedisStateImpl::say_goodbye() {
    is_stopping_ = true;
    beat_timer_.cancel();
    look_timer_.cancel();
    const TimePoint now = std::chrono::steady_clock::now();
    buckets_.close(now);
    quotas_.close(now);
    // Behind everything that was given back, in the same pipeline.
    source_.leave([this] {
        link_.stop();
        io_.stop();
    });
}

void RedisStateImpl::stop() {
    if (is_over_.exchange(true)) return;
    asio::post(io_, [this] { say_goodbye(); });
    if (thread_.joinable()) thread_.join();
}

}  // namespace

Result<std::unique_ptr<RedisState>> RedisState::open(RedisSettings settings) {
    std::shared_ptr<const net::ClientTls> tls;
    if (settings.tls) {
        auto made = net::ClientTls::make({.ca_file = settings.ca_file});
        if (!made) return Error{Origin::store, "redis_tls", made.error().detail, Retry::never};
        tls = std::move(*made);
    }
    auto state = std::make_unique<RedisStateImpl>(std::move(settings), std::move(tls));
    state->start();
    return std::unique_ptr<RedisState>{std::move(state)};
}

}  // namespace sluice::state
