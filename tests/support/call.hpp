// SPDX-License-Identifier: Apache-2.0
//
// Requests on a compiled configuration, without listener and session: what tests of the gateway,
// of filters and of integrations start from.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include "gateway/compile.hpp"
#include "gateway/exchange.hpp"
#include "gateway/response.hpp"
#include "gateway/snapshot.hpp"
#include "gateway/worker_context.hpp"
#include "sluice/config/load.hpp"
#include "support/reactor_thread.hpp"

namespace test {

/// Answers with the method that was called: "GET /pets/{id}".
class NamesItsMethod final : public sluice::Integration {
public:
    sluice::Task<void> call(sluice::Exchange& x) const override {
        const sluice::gateway::Method& method = *x.method;
        sluice::gateway::send_whole(x, 200, "", method.http_method + ' ' + method.resource_path);
        co_return;
    }
    static sluice::Result<sluice::IntegrationPtr> make(const sluice::gateway::MethodBuild&) {
        return sluice::IntegrationPtr{std::make_unique<NamesItsMethod>()};
    }
};

/// A configuration at work on one worker. Filters and integrations are the test's choice: they
/// belong to higher floors than some of its users.
class Site {
public:
    using MakeIntegration = decltype(sluice::gateway::Services::make_integration);

    explicit Site(const std::string& yaml,
                  std::span<const sluice::gateway::FilterEntry> filters = {},
                  MakeIntegration make_integration = NamesItsMethod::make)
        : services{limits, metrics, logs,    execution_logs,
                   spans,  caches,  filters, std::move(make_integration)} {
        use(yaml);
        worker.emplace(sluice::gateway::WorkerContext{.index = 0,
                                                      .reactor = thread.reactor(),
                                                      .forwarder = forwarder,
                                                      .cells = metrics.worker(0)});
    }
    ~Site() {
        thread.run([&] { pool.close_all(); });
        thread.stop();
    }
    Site(const Site&) = delete;
    Site& operator=(const Site&) = delete;

    /// Replaces the configuration, as a reload does.
    void use(const std::string& yaml) {
        const sluice::config::Loaded loaded = sluice::config::load_text(yaml);
        if (!loaded.ok()) throw std::runtime_error(sluice::config::to_string(loaded.problems[0]));
        config = loaded.config;
        auto compiled = sluice::gateway::compile(config, services);
        if (!compiled) throw std::runtime_error(compiled.error().detail);
        snapshot = std::move(*compiled);
    }

    sluice::config::Config config{};
    sluice::state::LimitRegistry limits{};
    sluice::telemetry::Metrics metrics{1};
    sluice::telemetry::AccessLogs logs{1, metrics.access_log_dropped};
    sluice::telemetry::AccessLogs execution_logs{1, metrics.execution_log_dropped, "execution log"};
    sluice::telemetry::SpanQueue spans{1};
    sluice::gateway::Caches caches{1};
    sluice::gateway::Services services;
    sluice::gateway::SnapshotPtr snapshot{};
    ReactorThread thread{};
    sluice::upstream::Pool pool{thread.reactor()};
    sluice::upstream::Forwarder forwarder{thread.reactor(), pool, 0};
    std::optional<sluice::gateway::WorkerContext> worker{};
};

/// A request that has been read, and the connection it came on.
class Incoming {
public:
    Incoming(Site& site, const std::string& text, const std::string& peer = "192.0.2.1")
        : site_{site}, client_{std::move(pair_.far)} {
        site_.thread.run([&] {
            transport = sluice::net::make_plain(site_.thread.reactor(), pair_.near);
            transport->channel().writable = true;  // a new connection takes bytes
            stream = std::make_unique<sluice::http::Stream>(*transport, draining_);
            request.bytes.append(text);
            const auto r = sluice::http::read_request_head(request.bytes.view(), {}, request.head);
            if (r.state != sluice::http::HeadResult::State::complete) {
                throw std::runtime_error("not a request: " + std::string{r.reason});
            }
            stream->input.append(request.bytes.view().substr(r.consumed));
            stream->begin(request.head, site_.snapshot->session.body_bytes);
            request.peer = *sluice::IpAddress::parse(peer);
            request.listener_port = 8080;
            request.received = std::chrono::steady_clock::now();
        });
    }
    ~Incoming() {
        site_.thread.run([&] {
            stream.reset();
            transport.reset();
        });
    }
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;

    Peer& client() { return client_; }

    sluice::http::Request request{};
    std::unique_ptr<sluice::net::Transport> transport{};
    std::unique_ptr<sluice::http::Stream> stream{};

private:
    Site& site_;
    Pair pair_ = Pair::make();
    Peer client_;
    bool draining_ = false;
};

/// An Exchange brought to the method that its request matches.
class Call {
public:
    Call(Site& site, const std::string& text, const std::string& peer = "192.0.2.1")
        : site_{site}, incoming_{site, text, peer} {
        site_.thread.run([&] {
            exchange_.emplace(incoming_.request, *incoming_.stream, *snapshot_, *site_.worker,
                              incoming_.request.received, sluice::wall_now());
            route(*exchange_);
        });
    }
    ~Call() {
        site_.thread.run([&] { exchange_.reset(); });
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    sluice::Exchange& x() { return *exchange_; }
    Peer& client() { return incoming_.client(); }

    /// Runs the method's filters until one does not pass.
    sluice::Verdict filter() {
        return site_.thread.run([&] { return x().method->chain.advance(x()); });
    }
    /// Begins to wait as the filter that said `wait` does; the verdict comes later.
    void resume() {
        site_.thread.run([&] { wait_for_verdict(); });
    }
    std::optional<sluice::Verdict> verdict() {
        return site_.thread.run([&] { return verdict_; });
    }
    bool decided() {
        return site_.thread.until([&] { return verdict_.has_value(); });
    }
    /// Begins to call the integration.
    void start() {
        site_.thread.run([&] { integrate(); });
    }
    /// Waits for the end of what start() began.
    bool finished() {
        return site_.thread.until([&] { return finished_; });
    }

private:
    void route(sluice::Exchange& x) {
        const auto& head = x.request.head;
        x.source = x.request.peer;
        x.target =
            sluice::http::normalise(head.origin_form, x.snapshot.compatibility, x.target_scratch);
        x.connection = sluice::gateway::connection_tokens(head.fields);
        x.sent_key.begin(x.snapshot, head.fields);
        x.sent_key.find(x.snapshot);
        const auto host = sluice::gateway::normalise_host(head.authority, x.host_scratch);
        const auto where = x.snapshot.domains.find(host, x.target.path, x.snapshot.compatibility);
        if (!where) throw std::runtime_error("no such stage");
        x.where = *where;
        x.stage = x.snapshot.stages[where->stage].get();
        const auto match = x.stage->tree.match(where->path, head.verb, x.snapshot.compatibility);
        if (!match) throw std::runtime_error("no such method");
        x.params = match->params;
        x.method = &x.stage->methods[match->index];
        x.id = sluice::Uuid::make(x.worker.random);
        x.extended_id = sluice::ExtendedId::make(x.worker.random);
    }
    sluice::Detached wait_for_verdict() { verdict_ = co_await x().method->chain.resume(x()); }
    sluice::Detached integrate() {
        co_await x().method->integration->call(x());
        finished_ = true;
    }

    Site& site_;
    sluice::gateway::SnapshotPtr snapshot_ = site_.snapshot;
    Incoming incoming_;
    std::optional<sluice::Exchange> exchange_{};
    std::optional<sluice::Verdict> verdict_{};
    bool finished_ = false;
};

}  // namespace test
