// SPDX-License-Identifier: Apache-2.0
#include "state/redis_connection.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>

namespace sluice::state {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Between "late" and "lost": an answer may be in our own buffer already, behind other work.
constexpr std::chrono::milliseconds kLastLook{10};

std::string error_of(const redisReply& reply) { return {reply.str, reply.len}; }

}  // namespace

void RedisLink::Connection::open() {
    timer_.expires_after(settings_.connect_patience);
    timer_.async_wait([self = shared_from_this()](error_code stopped) {
        if (!stopped && !self->is_ready_) self->close("no connection in time");
    });
    stream_ = make_redis_stream(io_, settings_.tls.get(), settings_.host);
    if (!stream_) return close("no TLS session can be made");
    resolver_.async_resolve(
        settings_.host, settings_.port,
        [self = shared_from_this()](error_code failed, tcp::resolver::results_type found) {
            if (self->is_closed_) return;
            if (failed) return self->close("cannot resolve: " + failed.message());
            asio::async_connect(self->stream_->socket(), found,
                                [self](error_code error, const tcp::endpoint&) {
                                    if (!self->is_closed_) self->connected(error);
                                });
        });
}

void RedisLink::Connection::connected(const error_code& error) {
    if (error) return close("cannot connect: " + error.message());
    error_code ignored;
    stream_->socket().set_option(tcp::no_delay{true}, ignored);
    stream_->handshake([self = shared_from_this()](error_code failed) {
        if (self->is_closed_) return;
        if (!failed) return self->introduce();
        const std::string refusal = self->stream_->refusal();
        self->close("TLS: " + (refusal.empty() ? failed.message() : refusal));
    });
}

void RedisLink::Connection::introduce() {
    const auto expect = [self = shared_from_this()](const char* step, bool is_last) {
        return [self, step, is_last](const redisReply* reply) {
            if (!self->is_closed_) self->expect_ok(step, is_last, reply);
        };
    };
    const bool selects = settings_.database != 0;
    if (!settings_.password.empty()) {
        std::vector<std::string> words{"AUTH"};
        if (!settings_.user.empty()) words.push_back(settings_.user);
        words.push_back(settings_.password);
        call(words, expect("AUTH", false));
    }
    if (selects) call({"SELECT", std::to_string(settings_.database)}, expect("SELECT", false));
    call({"PING"}, expect("PING", true));
    read();
}

void RedisLink::Connection::expect_ok(const char* step, bool is_last, const redisReply* reply) {
    if (reply == nullptr) return;
    if (reply->type == REDIS_REPLY_ERROR) return close(std::string{step} + ": " + error_of(*reply));
    if (!is_last) return;
    is_ready_ = true;
    watch_over_calls();
    events_.ready();
}

void RedisLink::Connection::call(const std::vector<std::string>& words, Answer answer) {
    if (is_closed_) return answer(nullptr);
    std::vector<const char*> texts;
    std::vector<std::size_t> lengths;
    for (const std::string& word : words) {
        texts.push_back(word.data());
        lengths.push_back(word.size());
    }
    char* command = nullptr;
    const int length = redisFormatCommandArgv(&command, static_cast<int>(words.size()),
                                              texts.data(), lengths.data());
    if (length < 0) return answer(nullptr);
    out_.append(command, static_cast<std::size_t>(length));
    redisFreeCommand(command);
    calls_.push_back({std::move(answer), std::chrono::steady_clock::now()});
    if (is_ready_ && !is_watched_) watch_over_calls();
    if (is_flushing_) return;
    // Whatever else this turn of the loop asks goes out in the same packet.
    is_flushing_ = true;
    asio::post(io_, [self = shared_from_this()] { self->flush(); });
}

void RedisLink::Connection::flush() {
    if (is_closed_) return;
    if (out_.empty()) {
        is_flushing_ = false;
        return;
    }
    writing_.swap(out_);
    out_.clear();
    stream_->write(asio::buffer(writing_),
                   [self = shared_from_this()](error_code failed, std::size_t) {
                       if (self->is_closed_) return;
                       if (failed) return self->close("connection lost: " + failed.message());
                       self->flush();
                   });
}

void RedisLink::Connection::read() {
    stream_->read(asio::buffer(buffer_),
                  [self = shared_from_this()](error_code failed, std::size_t length) {
                      if (self->is_closed_) return;
                      if (failed) return self->close("connection lost: " + failed.message());
                      self->received(length);
                  });
}

void RedisLink::Connection::received(std::size_t length) {
    if (redisReaderFeed(reader_.get(), buffer_.data(), length) != REDIS_OK) {
        return close("not the protocol of Redis");
    }
    for (;;) {
        void* next = nullptr;
        if (redisReaderGetReply(reader_.get(), &next) != REDIS_OK) {
            return close("not the protocol of Redis");
        }
        if (next == nullptr) break;
        const std::unique_ptr<redisReply, FreeReply> reply{static_cast<redisReply*>(next)};
        if (calls_.empty()) return close("an answer to nothing");
        const Call call = std::move(calls_.front());
        calls_.pop_front();
        was_late_ = false;
        call.answer(reply.get());
        if (is_closed_) return;
    }
    read();
}

void RedisLink::Connection::watch_over_calls() {
    is_watched_ = !calls_.empty();
    if (!is_watched_) {
        timer_.cancel();
        return;
    }
    const TimePoint now = std::chrono::steady_clock::now();
    const TimePoint deadline = calls_.front().sent + settings_.patience;
    if (now >= deadline && std::exchange(was_late_, true)) {
        return close("no answer for " + std::to_string(settings_.patience.count()) + " ms");
    }
    timer_.expires_at(std::max(deadline, now + kLastLook));
    timer_.async_wait([self = shared_from_this()](error_code stopped) {
        if (!stopped && !self->is_closed_) self->watch_over_calls();
    });
}

void RedisLink::Connection::close(const std::string& why) {
    if (is_closed_) return;
    is_closed_ = true;
    is_ready_ = false;
    timer_.cancel();
    resolver_.cancel();
    error_code ignored;
    if (stream_) stream_->socket().close(ignored);
    const auto self = shared_from_this();
    const Events events = std::exchange(events_, {});
    if (!why.empty() && events.closed) events.closed(why);
    // After the owner knows: who hears now that there is no answer finds the store away.
    for (Call& call : std::exchange(calls_, {}))
        call.answer(nullptr);
}

}  // namespace sluice::state
