// SPDX-License-Identifier: Apache-2.0
//
// An open-loop load on several gateways at once: requests are sent when their time has come,
// however slow the answers are. Writes what was answered, by 10 ms and gateway.
//
//   load OUTPUT TARGET KEY PORT... < PHASES     a phase: seconds, then a rate for each port
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kConnections = 128;  // to each gateway
constexpr std::int64_t kBinMicros = 10'000;

struct Connection {
    int fd = -1;
    std::size_t gateway = 0;
    bool busy = false;
    bool again = false;  // already closed once under a request
    std::string in{};
    std::int64_t due = 0;  // when its request should have gone out
};

struct Bin {
    std::int64_t admitted = 0, throttled = 0, quota = 0, other = 0, failed = 0;
    std::vector<std::uint32_t> latencies{};  // in us, of admitted ones
};

struct Phase {
    double seconds = 0;
    std::vector<double> rates{};
};

class Load {
public:
    Load(std::string request, std::vector<int> ports)
        : request_{std::move(request)},
          ports_{std::move(ports)},
          idle_(ports_.size()),
          owed_(ports_.size()),
          debt_(ports_.size(), 0.0),
          begin_{Clock::now()} {
        for (std::size_t g = 0; g < ports_.size(); ++g) {
            for (int i = 0; i < kConnections; ++i) {
                connections_.push_back({.gateway = g});
            }
        }
        for (std::size_t n = 0; n < connections_.size(); ++n)
            open(n);
    }

    void run(const Phase& phase) {
        const std::int64_t end = now() + static_cast<std::int64_t>(phase.seconds * 1e6);
        std::int64_t last = now();
        while (now() < end) {
            const std::int64_t t = now();
            for (std::size_t g = 0; g < ports_.size(); ++g) {
                debt_[g] += phase.rates[g] * static_cast<double>(t - last) / 1e6;
                for (; debt_[g] >= 1; debt_[g] -= 1)
                    owed_[g].push_back(t);
                send_owed(g);
            }
            last = t;
            turn(1);
        }
    }
    void finish() {
        for (const std::int64_t end = now() + 1'000'000; now() < end;)
            turn(10);
    }
    void write(const char* path) const {
        std::FILE* out = std::fopen(path, "w");
        if (out == nullptr) std::exit(1);
        std::fputs("micros,gateway,admitted,throttled,quota,other,failed,p50,p99,max\n", out);
        for (const auto& [key, bin] : bins_) {
            auto sorted = bin.latencies;
            std::ranges::sort(sorted);
            const auto at = [&](double share) {
                if (sorted.empty()) return 0U;
                return sorted[static_cast<std::size_t>(share *
                                                       static_cast<double>(sorted.size() - 1))];
            };
            std::fprintf(out, "%lld,%zu,%lld,%lld,%lld,%lld,%lld,%u,%u,%u\n",
                         static_cast<long long>(key.first * kBinMicros), key.second,
                         static_cast<long long>(bin.admitted),
                         static_cast<long long>(bin.throttled), static_cast<long long>(bin.quota),
                         static_cast<long long>(bin.other), static_cast<long long>(bin.failed),
                         at(0.5), at(0.99), at(1));
        }
        std::fclose(out);
    }

private:
    std::int64_t now() const {
        return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin_).count();
    }
    Bin& bin(std::size_t gateway) { return bins_[{now() / kBinMicros, gateway}]; }

    void open(std::size_t n) {
        Connection& c = connections_[n];
        c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(ports_[c.gateway]));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(c.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
            std::perror("connect");
            std::exit(1);
        }
        const int on = 1;
        ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_event event{.events = EPOLLIN, .data = {.u64 = n}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
        c.busy = false;
        c.in.clear();
        idle_[c.gateway].push_back(n);
    }

    void send_owed(std::size_t g) {
        auto& owed = owed_[g];
        std::size_t sent = 0;
        for (; sent < owed.size() && !idle_[g].empty(); ++sent) {
            Connection& c = connections_[idle_[g].back()];
            idle_[g].pop_back();
            c.busy = true;
            c.due = owed[sent];
            (void)::send(c.fd, request_.data(), request_.size(), MSG_NOSIGNAL);
        }
        owed.erase(owed.begin(), owed.begin() + static_cast<std::ptrdiff_t>(sent));
    }

    void turn(int millis) {
        std::array<epoll_event, 256> events{};
        const int count = ::epoll_wait(epoll_, events.data(), events.size(), millis);
        for (int i = 0; i < count; ++i)
            receive(events[static_cast<std::size_t>(i)].data.u64);
    }

    void receive(std::size_t n) {
        Connection& c = connections_[n];
        char buffer[4096];
        const ssize_t got = ::recv(c.fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            if (!c.busy) {
                std::erase(idle_[c.gateway], n);
            } else if (c.in.empty() && !c.again) {  // closed as idle while the request came
                owed_[c.gateway].push_back(c.due);
                c.again = true;
            } else {
                ++bin(c.gateway).failed;
            }
            ::close(c.fd);
            return open(n);
        }
        c.in.append(buffer, static_cast<std::size_t>(got));
        const std::size_t head = c.in.find("\r\n\r\n");
        if (head == std::string::npos) return;
        const std::size_t field = c.in.find("ontent-Length: ");
        const std::size_t length =
            field < head ? std::strtoul(c.in.c_str() + field + 15, nullptr, 10) : 0;
        if (c.in.size() < head + 4 + length) return;
        count(c);
        c.in.clear();
        c.busy = c.again = false;
        idle_[c.gateway].push_back(n);
    }

    void count(const Connection& c) {
        Bin& b = bin(c.gateway);
        const int status = std::atoi(c.in.c_str() + 9);
        if (status == 200) {
            ++b.admitted;
            b.latencies.push_back(static_cast<std::uint32_t>(now() - c.due));
        } else if (status == 429) {
            ++(c.in.find("Limit Exceeded") != std::string::npos ? b.quota : b.throttled);
        } else {
            ++b.other;
        }
    }

    const std::string request_;
    const std::vector<int> ports_;
    const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<Connection> connections_;
    std::vector<std::vector<std::size_t>> idle_;
    std::vector<std::vector<std::int64_t>> owed_;
    std::vector<double> debt_;
    const Clock::time_point begin_;
    std::map<std::pair<std::int64_t, std::size_t>, Bin> bins_{};
};

}  // namespace

int main(int count, char** words) {
    if (count < 5) return 2;
    std::vector<int> ports;
    for (int i = 4; i < count; ++i)
        ports.push_back(std::atoi(words[i]));
    const std::string key = words[3];
    Load load{"GET " + std::string{words[2]} + " HTTP/1.1\r\nHost: localhost\r\nx-api-key: " + key +
                  "\r\n\r\n",
              ports};
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream text{line};
        Phase phase;
        text >> phase.seconds;
        for (double rate = 0; text >> rate;)
            phase.rates.push_back(rate);
        if (phase.rates.size() != ports.size()) return 2;
        load.run(phase);
    }
    load.finish();
    load.write(words[1]);
    return 0;
}
