// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "support/client.hpp"
#include "support/metrics.hpp"
#include "support/process.hpp"

namespace test {

/// A sanitizer's own memory and slowness are not the gateway's: tests that measure leave out the
/// comparison then, and only that.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// ${NAME} in the YAML text of a test -> value. Left alone when not listed (the gateway's own
/// substitution from the environment then sees it).
using Values = std::map<std::string, std::string>;

struct GatewayOptions {
    std::map<std::string, std::string> environment{};
    int workers = 1;
    /// Where configuration and state live; shared by two gateways that follow each other.
    std::shared_ptr<TempDir> directory{};
    bool wait_until_ready = true;
    /// What the process must end with; a sanitizer's finding ends it with something else.
    int expected_status = 0;
};

/// The built gateway as a process of its own. `yaml` says what matters to the test; a listener on
/// port 0, an admin listener on port 0, state in memory and the number of workers are added when
/// it does not mention them.
class Gateway {
public:
    explicit Gateway(const std::string& yaml, const Values& values = {},
                     GatewayOptions options = {});
    ~Gateway();
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    /// Port of the listener with that name.
    std::uint16_t port(const std::string& listener = "public");
    std::uint16_t admin_port();
    Client client(ClientOptions options = {});
    /// One request on a connection of its own.
    Response get(const std::string& target, const Headers& headers = {});
    Response post(const std::string& target, const std::string& body, const Headers& headers = {});
    Response admin(const std::string& target, const std::string& method = "GET",
                   const Headers& headers = {});
    /// A scrape, as it is now.
    Metrics scrape();
    /// A scrape when nothing is under way: the counters of a request move when its last byte has
    /// been written, which is an instant after the client has read it.
    Metrics metrics();

    /// Replaces the configuration file.
    void rewrite(const std::string& yaml, const Values& values = {});
    /// POST /reload; the answer.
    Response reload();
    void signal(int number) { process_->signal(number); }
    /// SIGTERM; exit status, or nothing when it does not end in time.
    std::optional<int> stop(std::chrono::milliseconds patience = kPatience);
    void kill9();
    Process& process() { return *process_; }
    std::string log() const { return process_->errors(); }
    const std::filesystem::path& directory() const { return directory_->path(); }
    /// Resident set in bytes, now.
    std::uint64_t resident_bytes() const;
    /// Open file descriptors, now.
    std::size_t open_files() const;

private:
    std::string complete(std::string yaml) const;
    void start();

    GatewayOptions options_;
    std::shared_ptr<TempDir> directory_;
    std::unique_ptr<Process> process_{};
    std::mutex ports_mutex_{};
    std::map<std::string, std::uint16_t> ports_{};
    std::uint16_t admin_port_ = 0;
    bool stopped_ = false;
};

/// The path of the built binary: $SLUICE_BINARY, else the one of this build.
std::string sluice_binary();
/// Runs `sluice` with these words.
Finished sluice(std::vector<std::string> words, const Command& base = {});
/// `text` with ${NAME} replaced by the values.
std::string fill_in(std::string text, const Values& values);

}  // namespace test
