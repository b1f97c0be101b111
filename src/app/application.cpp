// SPDX-License-Identifier: Apache-2.0
#include "app/application.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>

#include "admin/server.hpp"
#include "app/admin_hooks.hpp"
#include "app/cpu_count.hpp"
#include "app/housekeeping.hpp"
#include "app/listeners.hpp"
#include "app/monitor.hpp"
#include "app/restart_rules.hpp"
#include "app/state_store.hpp"
#include "app/store_metrics.hpp"
#include "app/verify.hpp"
#include "app/worker.hpp"
#include "filters/registry.hpp"
#include "gateway/compile.hpp"
#include "integrations/registry.hpp"
#include "sluice/telemetry/log.hpp"
#include "telemetry/trace_exporter.hpp"
#include "upstream/directory.hpp"

namespace sluice::app {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kHousekeeping{1};
constexpr std::size_t kFewestDescriptors = 128;

/// Every connection and file needs a descriptor: take what the administrator allows.
std::size_t raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur == RLIM_INFINITY ? 1'048'576 : limit.rlim_cur;
}

class Application {
public:
    Application(std::filesystem::path path, config::Config config)
        : path_{std::move(path)},
          config_{std::move(config)},
          worker_count_{config_.server.workers != 0 ? config_.server.workers : usable_cpus()},
          metrics_{worker_count_},
          traces_{worker_count_},
          logs_{worker_count_, metrics_.access_log_dropped},
          execution_logs_{worker_count_, metrics_.execution_log_dropped, "execution log"},
          caches_{worker_count_},
          resolver_{control_, resolver_settings()},
          directory_{resolver_, metrics_},
          monitor_{{.control = control_,
                    .metrics = metrics_,
                    .limits = limits_,
                    .config = config_,
                    .after_workers = [this](auto done) { after_workers(std::move(done)); },
                    .store = [this] { return state_->writer->stats(); },
                    .workers = worker_count_}} {}

    int run();

private:
    static net::Resolver::Settings resolver_settings();
    Result<std::shared_ptr<gateway::Snapshot>> compile(const config::Config&);
    bool start_admin();
    admin::ReloadResult reload();
    admin::ReloadResult try_reload();
    /// Calls back on the control thread once every worker has done what it was told so far.
    void after_workers(std::function<void()> done);
    void limit_connections();
    void start_tracing();
    void await_signal();
    void keep_house();
    void begin_shutdown();
    void await_workers();
    void finish();

    std::filesystem::path path_;
    config::Config config_;
    unsigned worker_count_;
    telemetry::Metrics metrics_;
    telemetry::TraceExporter traces_;
    telemetry::AccessLogs logs_;
    telemetry::AccessLogs execution_logs_;
    state::LimitRegistry limits_;
    gateway::Caches caches_;
    asio::io_context control_{1};
    net::Resolver resolver_;
    upstream::Directory directory_;
    Monitor monitor_;
    std::optional<StateStore> state_;
    http::Admission admission_;
    Workers workers_;
    Listeners listeners_{workers_};
    std::unique_ptr<admin::Server> admin_;
    asio::signal_set signals_{control_, SIGTERM, SIGINT, SIGHUP};
    asio::steady_timer timer_{control_};
    asio::steady_timer drain_timer_{control_};
    Housekeeping housekeeping_{limits_, admission_};
    std::size_t descriptors_ = 0;  ///< this process may open
    TimePoint drain_deadline_{};
    bool stopping_ = false;
};

net::Resolver::Settings Application::resolver_settings() {
    net::Resolver::Settings settings;
    settings.on_notice = [](const net::Resolver::Notice& n) {
        if (n.failing) {
            log::warn("cannot resolve {}: {}; going on with {} known addresses", n.host, n.detail,
                      n.addresses_held);
        } else {
            log::info("{} resolves again", n.host);
        }
    };
    return settings;
}

Result<std::shared_ptr<gateway::Snapshot>> Application::compile(const config::Config& config) {
    auto begun = directory_.begin(config);
    if (!begun) return begun.error();
    gateway::Services services{
        .limits = limits_,
        .metrics = metrics_,
        .logs = logs_,
        .execution_logs = execution_logs_,
        .spans = traces_.queue(),
        .caches = caches_,
        .filters = filters::registry(),
        .make_integration =
            [this](const gateway::MethodBuild& build) {
                return integrations::make_integration(
                    build,
                    [this](std::string_view authority, std::string_view host, std::uint16_t port,
                           bool secure) { return directory_.find(authority, host, port, secure); });
            },
        .shared = state_->shared_limits()};
    auto snapshot = gateway::compile(config, services);
    if (snapshot) directory_.finish();
    return snapshot;
}

bool Application::start_admin() {
    const config::Admin settings = config_.admin.value_or(config::Admin{});
    auto started = admin::Server::start(
        control_, settings,
        make_admin_hooks({.config = config_,
                          .metrics = metrics_,
                          .limits = limits_,
                          .state = *state_,
                          .caches = caches_,
                          .monitor = monitor_,
                          .stopping = stopping_,
                          .reload = [this] { return reload(); },
                          .after_workers = [this](auto done) { after_workers(std::move(done)); }}));
    if (!started) {
        log::error("admin listener: {}", started.error().detail);
        return false;
    }
    admin_ = std::move(*started);
    log::info("admin on {}:{}", settings.address, admin_->port());
    return true;
}

admin::ReloadResult Application::reload() {
    const auto began = std::chrono::steady_clock::now();
    admin::ReloadResult result = try_reload();
    monitor_.reloaded(result, std::chrono::steady_clock::now() - began);
    log::info("{}", result.ok ? "configuration reloaded"
                              : "configuration refused; the running one goes on");
    return result;
}

/// Builds the new configuration beside the traffic; whatever is wrong, the old one goes on.
admin::ReloadResult Application::try_reload() {
    config::Loaded loaded = load_and_verify(path_);
    admin::ReloadResult result{.ok = loaded.ok(), .problems = std::move(loaded.problems)};
    for (const config::Problem& p : result.problems) {
        if (p.severity == config::Severity::error)
            log::error("{}", config::to_string(p));
        else
            log::warn("{}", config::to_string(p));
    }
    if (result.ok) {
        const auto refuse = [&](const std::string& what) {
            result.ok = false;
            result.problems.push_back({.where = {.file = path_.string()}, .message = what});
            log::error("{}", what);
        };
        if (const auto fixed = what_needs_restart(config_, loaded.config); !fixed.empty()) {
            refuse(fixed + " cannot change while running: restart to apply it");
        } else if (auto opened = listeners_.open(loaded.config); !opened) {
            refuse("cannot listen: " + opened.error().detail);
        } else if (auto snapshot = compile(loaded.config); !snapshot) {
            refuse(snapshot.error().detail);
        } else {
            listeners_.serve(std::move(*opened));
            listeners_.close_others(loaded.config);
            config_ = std::move(loaded.config);
            start_tracing();
            limit_connections();
            for (auto& worker : workers_)
                worker->use(*snapshot);
            if (admin_ && config_.admin) admin_->set_token(config_.admin->token);
            listeners_.renew_tls(config_);
            caches_.sweep();
            std::string error;
            if (!log::start(config_.server.log, error)) log::error("log: {}", error);
        }
    }
    return result;
}

/// Each client connection may need one to a backend; files and listeners need the rest.
void Application::limit_connections() {
    const config::Limits& limits = config_.server.limits;
    admission_.set_limits(std::min(limits.connections, descriptors_ * 2 / 5),
                          limits.connections_per_client);
}

/// The exporter's thread is there from the first configuration on that traces something.
void Application::start_tracing() {
    const bool traces = std::any_of(config_.stages.begin(), config_.stages.end(),
                                    [](const auto& stage) { return stage.tracing_enabled; });
    if (traces && !config_.server.tracing.disabled) traces_.use(config_.server.tracing);
}

void Application::after_workers(std::function<void()> done) {
    const auto remaining = std::make_shared<std::atomic<std::size_t>>(workers_.size());
    for (auto& worker : workers_) {
        worker->post([this, remaining, done] {
            if (--*remaining == 0) asio::post(control_, done);
        });
    }
}

void Application::keep_house() {
    timer_.expires_after(kHousekeeping);
    timer_.async_wait([this](boost::system::error_code error) {
        if (error || stopping_) return;
        if (listeners_.has_changed_certificate()) listeners_.renew_tls(config_);
        housekeeping_.run();
        keep_house();
    });
}

void Application::await_signal() {
    signals_.async_wait([this](boost::system::error_code error, int signal) {
        if (error) return;
        switch (signal) {
            case SIGHUP:
                reload();
                break;
            case SIGUSR1:
                logs_.reopen();
                execution_logs_.reopen();
                log::reopen();
                log::info("logs reopened");
                break;
            default:
                if (stopping_) {
                    log::warn("stopping at once");
                    drain_deadline_ = std::chrono::steady_clock::now();
                    drain_timer_.cancel();
                } else {
                    begin_shutdown();
                }
        }
        await_signal();
    });
}

void Application::begin_shutdown() {
    log::info("stopping: answering what is under way, at most {} s",
              config_.server.shutdown_grace.count());
    stopping_ = true;
    timer_.cancel();
    monitor_.stop();
    drain_deadline_ = std::chrono::steady_clock::now() + config_.server.shutdown_grace;
    for (auto& worker : workers_)
        worker->drain();
    await_workers();
}

void Application::await_workers() {
    const bool done = std::all_of(workers_.begin(), workers_.end(),
                                  [](const auto& w) { return w->is_finished(); });
    if (done || std::chrono::steady_clock::now() >= drain_deadline_) return finish();
    drain_timer_.expires_after(milliseconds{10});
    drain_timer_.async_wait([this](boost::system::error_code) { await_workers(); });
}

void Application::finish() {
    for (auto& worker : workers_)
        worker->stop();
    admin_->stop();
    signals_.cancel();
    control_.stop();
}

int Application::run() {
    std::string error;
    if (!log::start(config_.server.log, error)) {
        log::error("log: {}", error);
        return 1;
    }
    const std::size_t descriptors = descriptors_ = raise_descriptor_limit();
    if (descriptors < kFewestDescriptors) {
        log::error("this process may open {} files only; allow at least {} (ulimit -n)",
                   descriptors, kFewestDescriptors);
        return 1;
    }
    limit_connections();
    state_ = open_state_store(config_.state, limits_);
    if (!state_) return 1;
    auto snapshot = compile(config_);
    if (!snapshot) {
        log::error("{}", snapshot.error().detail);
        return 1;
    }
    metrics_.add_collector([this](std::string& out) {
        write_cache_metrics(caches_, out);
        write_state_metrics(*state_, out);
        write_trace_metrics(traces_.stats(), out);
    });
    metrics_.last_reload_unix_seconds =
        std::chrono::floor<seconds>(wall_now()).time_since_epoch().count();
    for (unsigned i = 0; i < worker_count_; ++i) {
        workers_.push_back(
            std::make_unique<Worker>(i, metrics_, traces_.queue(), admission_, *snapshot));
    }
    snapshot->reset();
    start_tracing();
    auto opened = listeners_.open(config_);
    if (!opened) {
        log::error("cannot listen: {}", opened.error().detail);
        return 1;
    }
    listeners_.serve(std::move(*opened));
    if (!start_admin()) return 1;
    state_->writer->start();
    for (auto& worker : workers_)
        worker->start();
    signals_.add(SIGUSR1);
    await_signal();
    keep_house();
    monitor_.start();
    log::info("sluice {} ready: {} workers", SLUICE_VERSION, worker_count_);
    control_.run();

    workers_.clear();
    traces_.stop();
    auto saved = state_->stop();
    if (!saved) log::error("usage could not be saved at the end: {}", saved.error().detail);
    logs_.drain();
    execution_logs_.drain();
    log::info("stopped");
    return 0;
}

}  // namespace

int run_gateway(const std::filesystem::path& path, config::Config config) {
    std::signal(SIGPIPE, SIG_IGN);
    int code = 1;
    {
        Application application{path, std::move(config)};
        code = application.run();
    }
    log::stop();
    return code;
}

}  // namespace sluice::app
