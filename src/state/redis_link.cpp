// SPDX-License-Identifier: Apache-2.0
#include "state/redis_link.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>

#include "state/redis_connection.hpp"

namespace sluice::state {

struct RedisLink::Impl : std::enable_shared_from_this<Impl> {
    Impl(boost::asio::io_context& context, Settings s, Events e)
        : io{context}, settings{std::move(s)}, events{std::move(e)}, timer{io} {}

    void connect();
    void closed(const std::string& why);

    boost::asio::io_context& io;
    const Settings settings;
    const Events events;
    boost::asio::steady_timer timer;
    std::shared_ptr<Connection> connection{};
    std::chrono::milliseconds pause{0};
    bool is_stopped = false;
    Stats stats{};
};

void RedisLink::Impl::connect() {
    connection = std::make_shared<Connection>(
        io, settings,
        Connection::Events{.ready =
                               [self = weak_from_this()] {
                                   const auto impl = self.lock();
                                   if (!impl || impl->is_stopped) return;
                                   ++impl->stats.connects;
                                   if (impl->events.up) impl->events.up();
                               },
                           .closed =
                               [self = weak_from_this()](const std::string& why) {
                                   if (const auto impl = self.lock()) impl->closed(why);
                               }});
    connection->open();
}

void RedisLink::Impl::closed(const std::string& why) {
    if (is_stopped) return;
    connection.reset();
    pause = pause.count() == 0 ? settings.first_pause : std::min(pause * 2, settings.longest_pause);
    timer.expires_after(pause);
    timer.async_wait([self = weak_from_this()](boost::system::error_code stopped) {
        const auto impl = self.lock();
        if (!stopped && impl && !impl->is_stopped) impl->connect();
    });
    if (events.down) events.down(why);
}

RedisLink::RedisLink(boost::asio::io_context& io, Settings settings, Events events)
    : impl_{std::make_shared<Impl>(io, std::move(settings), std::move(events))} {}

RedisLink::~RedisLink() { stop(); }

void RedisLink::start() { impl_->connect(); }

void RedisLink::stop() {
    if (std::exchange(impl_->is_stopped, true)) return;
    impl_->timer.cancel();
    if (const auto open = std::exchange(impl_->connection, {})) open->close({});
}

bool RedisLink::is_up() const { return impl_->connection && impl_->connection->is_ready(); }

void RedisLink::call(const std::vector<std::string>& words, Answer answer) {
    if (!is_up()) return answer(nullptr);
    ++impl_->stats.calls;
    impl_->connection->call(words,
                            [answer = std::move(answer), impl = std::weak_ptr{impl_},
                             sent = std::chrono::steady_clock::now()](const redisReply* reply) {
                                if (const auto self = impl.lock(); self && reply != nullptr) {
                                    self->stats.waited += std::chrono::steady_clock::now() - sent;
                                }
                                answer(reply);
                            });
}

void RedisLink::run(const RedisScript& script, const std::vector<std::string>& keys,
                    const std::vector<std::string>& arguments, Answer answer) {
    std::vector<std::string> words{"EVALSHA", script.sha1(), std::to_string(keys.size())};
    words.insert(words.end(), keys.begin(), keys.end());
    words.insert(words.end(), arguments.begin(), arguments.end());
    call(words, [this, impl = std::weak_ptr{impl_}, &script, words,
                 answer = std::move(answer)](const redisReply* reply) mutable {
        const bool is_unknown = reply != nullptr && reply->type == REDIS_REPLY_ERROR &&
                                std::string_view{reply->str, reply->len}.starts_with("NOSCRIPT");
        const auto self = impl.lock();
        if (!is_unknown || !self || self->is_stopped) return answer(reply);
        ++self->stats.scripts_sent;
        words[0] = "EVAL";
        words[1] = script.text();
        call(words, std::move(answer));
    });
}

void RedisLink::renew(const std::string& why) {
    if (const auto open = impl_->connection) open->close(why);
}

void RedisLink::settle() { impl_->pause = {}; }

RedisLink::Stats RedisLink::stats() const { return impl_->stats; }

}  // namespace sluice::state
