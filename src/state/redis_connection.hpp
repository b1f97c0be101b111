// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <hiredis/hiredis.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <deque>

#include "state/redis_link.hpp"
#include "state/redis_stream.hpp"

namespace sluice::state {

/// One attempt to talk to Redis, from the look-up of its name to the end of the connection.
/// Handlers keep it alive; after close() it does nothing more.
class RedisLink::Connection : public std::enable_shared_from_this<Connection> {
public:
    struct Events {
        std::function<void()> ready;
        std::function<void(const std::string& why)> closed;
    };
    Connection(boost::asio::io_context& io, const Settings& settings, Events events)
        : io_{io}, settings_{settings}, events_{std::move(events)}, resolver_{io}, timer_{io} {}

    void open();
    void call(const std::vector<std::string>& words, Answer);
    /// Answers what is open with null, and says why unless that is empty.
    void close(const std::string& why);
    bool is_ready() const { return is_ready_; }

private:
    struct Call {
        Answer answer;
        TimePoint sent;
    };
    struct FreeReader {
        void operator()(redisReader* reader) const { redisReaderFree(reader); }
    };
    struct FreeReply {
        void operator()(redisReply* reply) const { freeReplyObject(reply); }
    };

    void connected(const boost::system::error_code&);
    void introduce();
    void expect_ok(const char* step, bool is_last, const redisReply*);
    void flush();
    void read();
    void received(std::size_t);
    void watch_over_calls();

    boost::asio::io_context& io_;
    const Settings settings_;
    Events events_;
    boost::asio::ip::tcp::resolver resolver_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<RedisStream> stream_{};
    std::unique_ptr<redisReader, FreeReader> reader_{redisReaderCreate()};
    std::array<char, 16 * 1024> buffer_{};
    std::string out_{};
    std::string writing_{};
    std::deque<Call> calls_{};
    bool is_flushing_ = false;
    bool is_ready_ = false;
    bool is_closed_ = false;
    bool is_watched_ = false;
    bool was_late_ = false;
};

}  // namespace sluice::state
