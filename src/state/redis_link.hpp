// SPDX-License-Identifier: Apache-2.0
//
// One connection to Redis: pipelined, reconnecting, with an answer or a failure for every call
// within a bounded time. Everything happens on the io_context's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/tls_client.hpp"
#include "sluice/base/time.hpp"
#include "state/redis_scripts.hpp"

struct redisReply;

namespace sluice::state {

class RedisLink {
public:
    struct Settings {
        std::string host = "127.0.0.1";
        std::string port = "6379";
        std::string user{};  ///< empty = the default user
        std::string password{};
        int database = 0;
        std::shared_ptr<const net::ClientTls> tls{};  ///< set = rediss://
        std::chrono::milliseconds patience{250};      ///< with a call that is not answered
        std::chrono::milliseconds connect_patience{1000};
        std::chrono::milliseconds first_pause{50};  ///< before connecting again; doubles
        std::chrono::milliseconds longest_pause{1000};
    };
    struct Events {
        /// Connected, authenticated, database selected.
        std::function<void()> up{};
        /// Not connected any more, or still not.
        std::function<void(const std::string& why)> down{};
    };
    /// Null: there is no answer, the connection is lost.
    using Answer = std::function<void(const redisReply*)>;

    RedisLink(boost::asio::io_context&, Settings, Events);
    ~RedisLink();
    RedisLink(const RedisLink&) = delete;
    RedisLink& operator=(const RedisLink&) = delete;

    void start();
    /// No call is answered after it but by null, and no event is raised.
    void stop();
    bool is_up() const;
    void call(const std::vector<std::string>& words, Answer);
    /// By digest; by text when Redis does not know it.
    void run(const RedisScript&, const std::vector<std::string>& keys,
             const std::vector<std::string>& arguments, Answer);
    /// Gives the connection up and tries again: for answers that say it is of no use.
    void renew(const std::string& why);
    /// The connection is of use: the next one may be tried quickly again.
    void settle();

    struct Stats {
        std::uint64_t calls = 0;
        std::uint64_t connects = 0;
        std::uint64_t scripts_sent = 0;  ///< by text, because Redis did not know them
        std::chrono::nanoseconds waited{0};
    };
    Stats stats() const;

private:
    class Connection;
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::state
