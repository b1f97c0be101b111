// SPDX-License-Identifier: Apache-2.0
#include "upstream/pool.hpp"

#include <algorithm>
#include <utility>

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
    if (wake == net::Wake::event && transport_->is_quiet()) return;
    pool_->drop(*this);  // closed, spoke out of turn, or idle for too long
}

/// A read that filled its buffer leaves open whether more has come: the socket knows.
bool Connection::settle() {
    net::Channel& c = channel();
    if (c.readable && !c.peer_closed && net::raw_is_silent(c)) c.readable = false;
    return transport_->is_quiet();
}

Pool::State& Pool::state(std::uint32_t target) {
    if (target >= targets_.size()) targets_.resize(target + 1);
    return targets_[target];
}

/// Of the connections put back before this turn began, the events of the turn have told whether
/// something came; one that came back since then must be asked itself.
void Pool::refresh(State& s) const {
    if (s.turn == reactor_.turn()) return;
    s.turn = reactor_.turn();
    s.known = reactor_.is_up_to_date() ? s.idle.size() : 0;
}

ConnectionPtr Pool::pick(State& s) const {
    if (s.known == 0) {
        ConnectionPtr connection = std::move(s.idle.back());
        s.idle.pop_back();
        return net::raw_is_silent(connection->channel()) ? std::move(connection) : nullptr;
    }
    ConnectionPtr connection = std::exchange(s.idle[--s.known], std::move(s.idle.back()));
    s.idle.pop_back();
    return connection;
}

// Stray bytes must not be taken for the answer to the next request (robustness 3.2).
ConnectionPtr Pool::take(std::uint32_t target) {
    State& s = state(target);
    refresh(s);
    while (!s.idle.empty()) {
        ConnectionPtr connection = pick(s);
        if (!connection) continue;
        connection->pool_ = nullptr;
        connection->cells_.idle.sub();
        connection->cells_.active.add();
        if (!connection->transport().is_quiet()) continue;
        ++connection->uses_;
        return connection;
    }
    return nullptr;
}

void Pool::put(ConnectionPtr connection, std::size_t max_idle) {
    State& s = state(connection->target());
    refresh(s);
    if (s.idle.size() >= max_idle || !connection->settle()) return;
    connection->input.release();
    connection->pool_ = this;
    connection->cells_.active.sub();
    connection->cells_.idle.add();
    connection->channel().set_unattended_deadline(reactor_.now() + kIdleTime);
    s.idle.push_back(std::move(connection));
}

void Pool::drop(Connection& connection) {
    State& s = state(connection.target());
    refresh(s);
    const auto it = std::find_if(s.idle.begin(), s.idle.end(),
                                 [&](const ConnectionPtr& c) { return c.get() == &connection; });
    if (it == s.idle.end()) return;
    if (static_cast<std::size_t>(it - s.idle.begin()) < s.known) --s.known;
    const ConnectionPtr gone = std::move(*it);
    s.idle.erase(it);
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
