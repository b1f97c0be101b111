// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "net/outbox.hpp"
#include "upstream/backend.hpp"

namespace sluice::upstream {

class Pool;

/// One connection to a target, in use or waiting in the pool.
class Connection final : private net::Channel::Owner {
public:
    Connection(std::unique_ptr<net::Transport>, std::uint32_t target, telemetry::BackendCells&);
    ~Connection();

    net::Transport& transport() { return *transport_; }
    net::Channel& channel() { return transport_->channel(); }
    net::Outbox& outbox() { return outbox_; }
    std::uint32_t target() const { return target_; }
    bool is_reused() const { return uses_ > 1; }
    Buffer input{};  ///< an incomplete response head

private:
    friend class Pool;
    void unattended(net::Channel&, net::Wake) override;
    /// Whether nothing has come and nothing is closed.
    bool settle();

    std::unique_ptr<net::Transport> transport_;
    net::Outbox outbox_;
    telemetry::BackendCells& cells_;
    Pool* pool_ = nullptr;  ///< while idle
    std::uint32_t target_;
    std::uint32_t uses_ = 1;
};
using ConnectionPtr = std::unique_ptr<Connection>;

/// Idle connections of one worker, by target. Only clean ones come back: response complete, no
/// byte behind it, request fully written (robustness 3.3).
class Pool {
public:
    static constexpr std::chrono::seconds kIdleTime{50};  // robustness 2

    explicit Pool(net::Reactor& reactor) : reactor_{reactor} {}

    /// The most recently used idle connection on which nothing has come, or null. One that was
    /// idle before this turn of the reactor goes before one that has just come back.
    ConnectionPtr take(std::uint32_t target);
    void put(ConnectionPtr, std::size_t max_idle);

    /// A target that failed is passed over for a while when there are others.
    void mark_down(std::uint32_t target);
    void mark_up(std::uint32_t target);
    bool is_down(std::uint32_t target) const;

    /// Where the next request of a backend starts its round.
    std::size_t next_turn(std::uint32_t backend);

    void close_all();

private:
    friend class Connection;
    struct State {
        std::vector<ConnectionPtr> idle{};
        std::size_t known = 0;   ///< so many from the front were idle before `turn` began
        std::uint64_t turn = 0;  ///< of the reactor, in which `idle` was last used
        TimePoint down_until{};
        std::uint32_t failures = 0;
    };
    State& state(std::uint32_t target);
    void refresh(State&) const;
    ConnectionPtr pick(State&) const;
    void drop(Connection&);

    net::Reactor& reactor_;
    std::vector<State> targets_{};
    std::vector<std::size_t> turns_{};
};

}  // namespace sluice::upstream
