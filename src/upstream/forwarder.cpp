// SPDX-License-Identifier: Apache-2.0
#include "upstream/forwarder.hpp"

#include "upstream/exchange_pump.hpp"

namespace sluice::upstream {
namespace {

using telemetry::UpstreamError;
using End = Forwarding::End;

constexpr std::size_t kMostTargets = 64;  // tried ones are remembered in one word

bool never_delivered(UpstreamError e) {
    switch (e) {
        case UpstreamError::connect_refused:
        case UpstreamError::connect_failed:
        case UpstreamError::connect_timeout:
        case UpstreamError::resolve_failed:
        case UpstreamError::tls_failed:
            return true;
        default:
            return false;
    }
}

}  // namespace

/// Round robin over the targets that are up and not tried yet. With one target there is no
/// choice: it is asked even if it has just failed.
const Target* Forwarder::choose(const Backend& backend, std::size_t turn,
                                std::uint64_t tried) const {
    const std::size_t count = std::min(backend.targets.size(), kMostTargets);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = (turn + i) % count;
        if ((tried >> at & 1U) != 0) continue;
        if (count > 1 && pool_.is_down(backend.targets[at].id)) continue;
        return &backend.targets[at];
    }
    return nullptr;
}

Task<Forwarding> Forwarder::forward(const ForwardRequest& request, Forwarded& job,
                                    http::Stream& client, std::chrono::seconds body_idle,
                                    std::chrono::seconds write_idle) {
    const Backend& backend = request.backend;
    auto& cells = backend.series->cells(worker_);
    const TimePoint started = std::chrono::steady_clock::now();
    const std::size_t turn = pool_.next_turn(backend.id);
    BackendBudget budget{request.timeout};
    std::uint64_t tried = 0;
    bool repeated = false;
    Forwarding result{.end = End::failed, .error = UpstreamError::no_target};

    if (client.channel().is_broken) co_return Forwarding{.end = End::client_gone};
    while (const Target* target = choose(backend, turn, tried)) {
        // A repeated request goes to the same target, on a connection of its own.
        const bool fresh = repeated;
        ConnectionPtr connection;
        if (request.observer != nullptr) request.observer->try_began(*target);
        if (!fresh) connection = pool_.take(target->id);
        if (!connection) {
            const TimePoint before = reactor_.now();
            const TimePoint deadline =
                before + std::min<Duration>(backend.connect_timeout, budget.left());
            Connected connected = co_await connect(reactor_, *target, cells, deadline);
            budget.charge(reactor_.now() - before);
            if (std::holds_alternative<UpstreamError>(connected)) {
                result.error = std::get<UpstreamError>(connected);
                cells.errors[static_cast<std::size_t>(result.error)].add();
                pool_.mark_down(target->id);
                tried |= std::uint64_t{1} << (target - backend.targets.data());
                if (request.observer != nullptr) request.observer->try_ended(result);
                if (budget.is_spent() || client.client_gone()) break;
                continue;
            }
            connection = std::move(std::get<ConnectionPtr>(connected));
        }

        ExchangePump pump{request, job, client, *connection, budget};
        result = co_await pump.run(*target, {body_idle, write_idle});
        if (request.observer != nullptr) request.observer->try_ended(result);
        if (result.end == End::failed) {
            cells.errors[static_cast<std::size_t>(result.error)].add();
            const bool stale = connection->is_reused() && !client.response_started() &&
                               (result.error == UpstreamError::reset ||
                                result.error == UpstreamError::closed_early ||
                                result.error == UpstreamError::write_failed);
            // A refused first write delivered nothing: even a POST may go again.
            const bool undelivered = result.error == UpstreamError::write_failed &&
                                     request.framing == http::Framing::none;
            if (stale && (request.may_repeat || undelivered) && !repeated) {
                repeated = true;
                continue;
            }
            if (result.error == UpstreamError::first_byte_timeout) pool_.mark_down(target->id);
        } else {
            pool_.mark_up(target->id);
        }
        if (pump.is_clean()) pool_.put(std::move(connection), backend.max_idle);
        break;
    }
    if (never_delivered(result.error)) result.status = 0;
    result.ended = std::chrono::steady_clock::now();
    result.latency = result.ended - started;
    co_return result;
}

}  // namespace sluice::upstream
