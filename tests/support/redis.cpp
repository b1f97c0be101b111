// SPDX-License-Identifier: Apache-2.0
#include "support/redis.hpp"

#include <sys/socket.h>

#include <stdexcept>

#include "support/certificate.hpp"
#include "support/wire.hpp"

namespace test {

Redis::Redis(RedisOptions options) : options_{std::move(options)}, port_{closed_port()} {
    if (options_.tls) {
        const Authority authority;
        authority.write(ca_file());
        authority.issue({"127.0.0.1"}, directory_.path() / "cert.pem",
                        directory_.path() / "key.pem");
    }
    start();
}

std::string Redis::url(const std::string& who) const {
    return (options_.tls ? "rediss://" : "redis://") + who + "127.0.0.1:" + std::to_string(port_) +
           "/0";
}

void Redis::start() {
    const std::string port = std::to_string(port_);
    std::vector<std::string> words{"redis-server", "--bind", "127.0.0.1",
                                   "--save",       "",       "--appendonly",
                                   "no",           "--dir",  directory_.path().string()};
    const auto add = [&](std::vector<std::string> more) {
        words.insert(words.end(), more.begin(), more.end());
    };
    if (options_.tls) {
        const auto file = [&](const char* name) { return (directory_.path() / name).string(); };
        add({"--port", "0", "--tls-port", port, "--tls-cert-file", file("cert.pem"),
             "--tls-key-file", file("key.pem"), "--tls-ca-cert-file", file("ca.pem"),
             "--tls-auth-clients", "no"});
    } else {
        add({"--port", port});
    }
    add(options_.words);
    process_ =
        std::make_unique<Process>(Command{.words = words, .environment = clock_.environment()});
    const bool listens = eventually([&] {
        return process_->out().find("Ready to accept connections") != std::string::npos ||
               !process_->running();
    });
    if (!listens || !process_->running()) {
        throw std::runtime_error("redis-server does not start: " + process_->out());
    }
}

void Redis::kill9() {
    process_->signal(SIGKILL);
    process_->wait();
}

std::string Redis::ask(const std::vector<std::string>& words) {
    std::string command = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words)
        command += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    // QUIT is answered last: then all of it is here.
    command += "*1\r\n$4\r\nQUIT\r\n";
    const Fd fd = connect_to(port_);
    for (std::size_t sent = 0; sent < command.size();) {
        const ssize_t n = ::send(fd.get(), command.data() + sent, command.size() - sent, 0);
        if (n <= 0) throw std::runtime_error("redis took no command");
        sent += static_cast<std::size_t>(n);
    }
    std::string answer;
    char buffer[4096];
    while (wait_readable(fd.get(), Clock::now() + kPatience)) {
        const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
        if (n <= 0) break;
        answer.append(buffer, static_cast<std::size_t>(n));
    }
    return answer.substr(0, answer.rfind("+OK\r\n"));
}

}  // namespace test
