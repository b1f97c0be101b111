// SPDX-License-Identifier: Apache-2.0
#include "support/gateway.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace test {

namespace fs = std::filesystem;

std::string sluice_binary() {
    const char* other = std::getenv("SLUICE_BINARY");
    return other != nullptr ? other : SLUICE_BINARY;
}

Finished sluice(std::vector<std::string> words, const Command& base) {
    Command command = base;
    words.insert(words.begin(), sluice_binary());
    command.words = std::move(words);
    return run(command);
}

std::string fill_in(std::string text, const Values& values) {
    for (const auto& [name, value] : values) {
        const std::string mark = "${" + name + "}";
        for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;
             at += value.size())
            text.replace(at, mark.size(), value);
    }
    return text;
}

namespace {

bool mentions(const std::string& yaml, const std::string& key) {
    return yaml.starts_with(key + ":") || yaml.find("\n" + key + ":") != std::string::npos;
}

/// The port in "... 127.0.0.1:41231 ...".
std::uint16_t port_in(const std::string& line, const std::string& after) {
    const std::size_t words = line.find(after) + after.size();
    const std::size_t colon = line.find_last_of(':', line.find(' ', words));
    return static_cast<std::uint16_t>(std::stoi(line.substr(colon + 1)));
}

}  // namespace

Gateway::Gateway(const std::string& yaml, const Values& values, GatewayOptions options)
    : options_{std::move(options)},
      directory_{options_.directory ? options_.directory : std::make_shared<TempDir>()} {
    rewrite(yaml, values);
    start();
}

Gateway::~Gateway() {
    if (!stopped_) {
        const std::optional<int> status = stop();
        EXPECT_EQ(status, options_.expected_status) << "the gateway did not end well";
    }
    process_->signal(SIGKILL);
    process_->wait();
    process_->read_rest();
    if (!::testing::Test::HasFailure()) return;
    const std::string text = log();
    std::fprintf(stderr, "--- the gateway's log:\n%s---\n",
                 text.substr(text.size() > 6000 ? text.size() - 6000 : 0).c_str());
}

std::string Gateway::complete(std::string yaml) const {
    if (!mentions(yaml, "listeners"))
        yaml += "\nlisteners: [ { name: public, address: 127.0.0.1, port: 0 } ]\n";
    if (!mentions(yaml, "admin")) yaml += "\nadmin: { address: 127.0.0.1, port: 0 }\n";
    if (!mentions(yaml, "state")) yaml += "\nstate: { store: memory }\n";
    if (!mentions(yaml, "server"))
        yaml += "\nserver: { workers: " + std::to_string(options_.workers) + " }\n";
    return yaml;
}

void Gateway::rewrite(const std::string& yaml, const Values& values) {
    directory_->write("config.yaml", complete(fill_in(yaml, values)));
}

void Gateway::start() {
    const fs::path config = directory_->path() / "config.yaml";
    process_ = std::make_unique<Process>(
        Command{.words = {sluice_binary(), "run", "--config", config.string()},
                .directory = directory_->path(),
                .environment = options_.environment});
    if (!options_.wait_until_ready) return;
    admin_port();
    const bool ready = eventually([this] {
        try {
            return !process_->running() || admin("/readyz").status == 200;
        } catch (const std::exception&) {
            return false;
        }
    });
    if (!ready || !process_->running()) throw std::runtime_error("not ready:\n" + log());
}

std::uint16_t Gateway::port(const std::string& listener) {
    const std::lock_guard lock{ports_mutex_};
    std::uint16_t& port = ports_[listener];
    if (port != 0) return port;
    // Another listener's line may come first, so each is looked for by its whole name.
    const bool found = eventually([&] {
        const std::string text = log();
        const std::size_t name = text.find(" (" + listener + ")");
        const std::size_t begin =
            name == std::string::npos ? name : text.rfind("listening on ", name);
        if (begin == std::string::npos) return !process_->running();
        port = port_in(text.substr(begin), "listening on ");
        return true;
    });
    if (!found || port == 0) throw std::runtime_error("no listener " + listener + ":\n" + log());
    return port;
}

std::uint16_t Gateway::admin_port() {
    if (admin_port_ != 0) return admin_port_;
    const auto line = process_->wait_for_line("admin on ");
    if (!line) throw std::runtime_error("the gateway does not start:\n" + log());
    return admin_port_ = port_in(line->substr(line->find("admin on ")), "admin on ");
}

Client Gateway::client(ClientOptions options) { return Client{port(), std::move(options)}; }

Response Gateway::get(const std::string& target, const Headers& headers) {
    return Client{port()}.get(target, headers);
}

Response Gateway::post(const std::string& target, const std::string& body, const Headers& headers) {
    return Client{port()}.post(target, body, headers);
}

Response Gateway::admin(const std::string& target, const std::string& method,
                        const Headers& headers) {
    return Client{admin_port()}.request(method, target, headers);
}

Metrics Gateway::scrape() { return Metrics{admin("/metrics").body}; }

Metrics Gateway::metrics() {
    Metrics now = scrape();
    eventually(
        [&] {
            if (now.sum("sluice_requests_in_flight") == 0) return true;
            now = scrape();
            return false;
        },
        2s);
    return now;
}

Response Gateway::reload() { return admin("/reload", "POST"); }

std::optional<int> Gateway::stop(std::chrono::milliseconds patience) {
    process_->signal(SIGTERM);
    stopped_ = true;
    return process_->wait(patience);
}

void Gateway::kill9() {
    process_->signal(SIGKILL);
    process_->wait();
    stopped_ = true;
}

std::uint64_t Gateway::resident_bytes() const {
    std::ifstream in{"/proc/" + std::to_string(process_->pid()) + "/statm"};
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    in >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t Gateway::open_files() const {
    const fs::path folder = "/proc/" + std::to_string(process_->pid()) + "/fd";
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator{folder}, fs::directory_iterator{}));
}

}  // namespace test
