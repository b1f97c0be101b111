// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "gateway/pipeline.hpp"
#include "http/listener.hpp"
#include "upstream/forwarder.hpp"
#include "upstream/pool.hpp"

namespace sluice::app {

/// One thread with everything that serves requests on it: event loop, listening sockets, client
/// sessions, upstream connections. Nothing of that is shared with other workers.
class Worker {
public:
    Worker(unsigned index, telemetry::Metrics&, telemetry::SpanQueue&, http::Admission&,
           gateway::SnapshotPtr);
    ~Worker();  ///< stops and joins

    /// Accepts on this socket from now on; `id` finds it again. Before start() or while running.
    void listen(const std::string& id, http::ListenSocket, std::shared_ptr<const net::ServerTls>);
    void start();

    // From the control thread, while it runs:
    void use(gateway::SnapshotPtr);
    void use_tls(const std::string& id, std::shared_ptr<const net::ServerTls>);
    /// Takes what has connected already, then accepts no more; connections go on.
    void close_listener(const std::string& id);
    /// Stops accepting; ends when the last session has.
    void drain();
    /// Ends every connection now.
    void stop();
    bool is_finished() const { return finished_; }
    /// Runs on the worker's thread; the future-like callback is the caller's business.
    void post(std::function<void()> task) { reactor_.post(std::move(task)); }

private:
    /// What happens a few times a second, traffic or not.
    class Tick final : public net::Timer {
    public:
        explicit Tick(Worker& worker) : worker_{worker} {}

    private:
        void expired() override { worker_.tick(); }
        Worker& worker_;
    };
    void run();
    void tick();
    void flush_logs();
    void finish_if_drained();

    unsigned index_;
    net::Reactor reactor_;
    upstream::Pool pool_;
    upstream::Forwarder forwarder_;
    telemetry::SpanQueue& spans_;
    gateway::WorkerContext context_;
    gateway::Pipeline pipeline_;
    http::Sessions sessions_;
    http::Admission& admission_;
    std::vector<std::pair<std::string, std::unique_ptr<http::Listener>>> listeners_;
    std::vector<std::shared_ptr<telemetry::AccessLogFile>> retired_logs_;
    Tick tick_{*this};
    unsigned ticks_ = 0;
    bool draining_ = false;
    std::atomic<bool> finished_{false};
    std::thread thread_;
};

}  // namespace sluice::app
