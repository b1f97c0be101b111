// SPDX-License-Identifier: Apache-2.0
//
// The keys that session tickets are sealed with. One set per process, so that a ticket from one
// listener, worker or configuration is good on every other one.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "sluice/base/time.hpp"

typedef struct ssl_ctx_st SSL_CTX;

namespace sluice::net {

struct TicketKey {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};  ///< AES-256
    std::array<unsigned char, 32> mac{};     ///< HMAC-SHA-256
    TimePoint created{};
};

/// The current key and the two before it. A new key is drawn when the current one is older than
/// its lifetime, by whoever needs a key then: no timer. Thread-safe.
class TicketKeys {
public:
    static constexpr Duration kLifetime = std::chrono::hours{8};
    static constexpr std::size_t kAccepted = 3;

    explicit TicketKeys(Duration lifetime = kLifetime) : lifetime_{lifetime} {}
    ~TicketKeys();
    TicketKeys(const TicketKeys&) = delete;
    TicketKeys& operator=(const TicketKeys&) = delete;

    /// The key for new tickets; empty only when the system has no randomness.
    std::optional<TicketKey> current(TimePoint now);

    struct Found {
        TicketKey key{};
        bool renew = false;  ///< sealed with an earlier key: the client gets a fresh ticket
    };
    /// The key a ticket names, unless it has been retired.
    std::optional<Found> find(const unsigned char (&name)[16], TimePoint now);

    /// The set of this process.
    static TicketKeys& process();
    /// Makes a server context seal and open its tickets with the set of this process.
    static void use_in(SSL_CTX*);

private:
    void retire(TimePoint now);

    const Duration lifetime_;
    std::mutex mutex_;
    std::vector<TicketKey> keys_;  ///< newest first
};

}  // namespace sluice::net
