// SPDX-License-Identifier: Apache-2.0
#include "upstream/pool.hpp"

#include <algorithm>

#include "net/raw_io.hpp"

namespace sluice::upstream {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{1'000};  // a target that failed rests this long,
constexpr int kMostDoublings = 5;           // twice as long each time it fails again

}  // namespace

Connection::Connection(std::unique_ptr<net::Transport> transport, std::uint32_t target,
                       telemetry::BackendCells& cells)
    : transport_{std::move(transport)}, outbox_{*transport_}, cells_{cells}, target_{target} {
    transport_->channel().set_owner(this);
    cells_.active.add();
}

Connection::~Connection() { (pool_ != nullptr ? cells_.idle : cells_.active).sub(); }

void Connection::unattended(net::Channel&, net::Wake wake) {
    if (pool_ == nullptr) return;
    if (wake == net::Wake::event && settle()) return;
    pool_->drop(*this);  // closed, spoke out of turn, or idle for too long
}

/// An event may tell of bytes that were read before it was handled: the socket knows better.
bool Connection::settle() {
    net::Channel& c = channel();
    if (c.readable && !c.peer_closed && net::raw_is_silent(c)) c.readable = false;
    return transport_->is_quiet();
}

Pool::State& Pool::state(std::uint32_t target) {
    if (target >= targets_.size()) targets_.resize(target + 1);
    return targets_[target];
}

ConnectionPtr Pool::take(std::uint32_t target) {
    auto& idle = state(target).idle;
    while (!idle.empty()) {
        ConnectionPtr connection = std::move(idle.back());
        idle.pop_back();
        connection->pool_ = nullptr;
        connection->cells_.idle.sub();
        connection->cells_.active.add();
        // The socket itself is asked, not only what events have told so far: stray bytes that came
        // a moment ago would be taken for the answer to this request (robustness 3.2).
        if (!connection->transport().is_quiet()) continue;
        if (!net::raw_is_silent(connection->channel())) continue;
        ++connection->uses_;
        return connection;
    }
    return nullptr;
}

void Pool::put(ConnectionPtr connection, std::size_t max_idle) {
    auto& idle = state(connection->target()).idle;
    if (idle.size() >= max_idle || !connection->settle()) return;
    connection->input.release();
    connection->pool_ = this;
    connection->cells_.active.sub();
    connection->cells_.idle.add();
    connection->channel().set_unattended_deadline(reactor_.now() + kIdleTime);
    idle.push_back(std::move(connection));
}

void Pool::drop(Connection& connection) {
    auto& idle = state(connection.target()).idle;
    const auto it = std::find_if(idle.begin(), idle.end(),
                                 [&](const ConnectionPtr& c) { return c.get() == &connection; });
    if (it == idle.end()) return;
    const ConnectionPtr gone = std::move(*it);
    idle.erase(it);
}

void Pool::mark_down(std::uint32_t target) {
    State& s = state(target);
    const auto doublings = std::min<std::uint32_t>(s.failures++, kMostDoublings);
    s.down_until = reactor_.now() + kFirstPause * (1 << doublings);
}

void Pool::mark_up(std::uint32_t target) { state(target).failures = 0; }

bool Pool::is_down(std::uint32_t target) const {
    if (target >= targets_.size()) return false;
    const State& s = targets_[target];
    return s.failures > 0 && reactor_.now() < s.down_until;
}

std::size_t Pool::next_turn(std::uint32_t backend) {
    if (backend >= turns_.size()) turns_.resize(backend + 1);
    return turns_[backend]++;
}

void Pool::close_all() {
    for (State& s : targets_)
        s.idle.clear();
}

}  // namespace sluice::upstream
