// SPDX-License-Identifier: Apache-2.0
//
// Host names to addresses, looked up again and again on the control thread while the workers go on
// with the last good answer.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/result.hpp"
#include "sluice/base/time.hpp"

namespace boost::asio {
class io_context;
}

namespace sluice::net {

/// A socket address with its port.
struct Endpoint {
    sockaddr_storage address{};
    socklen_t size = 0;

    const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&address); }
    int family() const { return address.ss_family; }
};
bool operator==(const Endpoint&, const Endpoint&);
/// 127.0.0.0/8 or ::1.
bool is_loopback(const Endpoint&);
/// "127.0.0.1:80", "[::1]:80".
std::string to_string(const Endpoint&);

using Endpoints = std::vector<Endpoint>;

/// The present answer for one name. Workers keep the list and the version they saw, compare
/// version() per use (one atomic load), and call get() only when it moved.
class Addresses {
public:
    Addresses() : list_{std::make_shared<const Endpoints>()} {}

    /// 0 = not resolved yet; grows with every change of the set.
    std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
    /// Never null; empty while version() is 0.
    std::shared_ptr<const Endpoints> get() const;

    void publish(Endpoints);
    /// The first lookup is under way: an answer, or its failure, is about to come.
    bool is_pending() const noexcept { return version() == 0 && !failed_.load(); }
    void note_failure() noexcept { failed_ = true; }

private:
    std::atomic<std::uint64_t> version_{0};
    std::atomic<bool> failed_{false};
    mutable std::mutex mutex_;
    std::shared_ptr<const Endpoints> list_;
};

/// An address written out ("127.0.0.1", "::1", "[::1]", "fe80::1%eth0"): its endpoint, without
/// asking anybody.
std::optional<Endpoint> parse_literal(const std::string& host, std::uint16_t port);

/// getaddrinfo: blocks. Every A and AAAA record, in the system's order of preference.
Result<Endpoints> system_lookup(const std::string& host, std::uint16_t port);

/// Looks up every watched name at once and then periodically (getaddrinfo knows no TTL). Lookups
/// block a short-lived thread each, one per name at most, so neither a silent name server nor
/// the end of the program waits for anybody. A failed lookup leaves the last good set in place
/// and is repeated soon, then less and less often.
/// To be used on the thread that runs the io_context only; `Addresses` may go anywhere.
class Resolver {
public:
    using Lookup = std::function<Result<Endpoints>(const std::string& host, std::uint16_t port)>;
    using Changed = std::function<void(const Endpoints&)>;

    /// A name began or ceased to fail: one log line.
    struct Notice {
        const std::string& host;
        bool failing = false;
        const std::string& detail;       ///< why, when failing
        std::size_t addresses_held = 0;  ///< what callers go on with
    };

    struct Settings {
        Duration period = std::chrono::seconds{30};      ///< robustness 3.4: 1 to 60 s
        Duration first_retry = std::chrono::seconds{1};  ///< doubles per failure
        Duration last_retry = std::chrono::seconds{60};
        std::function<void(const Notice&)> on_notice{};
        Lookup lookup{};  ///< must be callable from any thread; empty = system_lookup
    };

    struct Watch {
        std::uint64_t id = 0;
        std::shared_ptr<const Addresses> addresses{};
    };

    explicit Resolver(boost::asio::io_context&);
    Resolver(boost::asio::io_context&, Settings);
    ~Resolver();

    /// Watches of the same name and port share one Addresses and one lookup. `on_change` hears
    /// of every new set (of one already known at once, from within this call); it may watch and
    /// unwatch.
    Watch watch(std::string host, std::uint16_t port, Changed on_change = {});
    /// Ends one watch; the last one of a name ends its lookups.
    void unwatch(std::uint64_t id);

    /// Names without an answer so far.
    std::size_t unresolved() const;

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::net
