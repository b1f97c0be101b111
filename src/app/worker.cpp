// SPDX-License-Identifier: Apache-2.0
#include "app/worker.hpp"

#include <pthread.h>

#include "sluice/telemetry/log.hpp"

namespace sluice::app {
namespace {

constexpr std::chrono::milliseconds kTick{200};
constexpr unsigned kTicksPerSecond = 5;

}  // namespace

Worker::Worker(unsigned index, telemetry::Metrics& metrics, telemetry::SpanQueue& spans,
               http::Admission& admission, gateway::SnapshotPtr snapshot)
    : index_{index},
      pool_{reactor_},
      forwarder_{reactor_, pool_, index},
      spans_{spans},
      context_{.index = index,
               .reactor = reactor_,
               .forwarder = forwarder_,
               .cells = metrics.worker(index)},
      pipeline_{context_, std::move(snapshot)},
      sessions_{admission},
      admission_{admission} {}

Worker::~Worker() {
    if (!thread_.joinable()) return;
    stop();
    thread_.join();
}

void Worker::listen(const std::string& id, http::ListenSocket socket,
                    std::shared_ptr<const net::ServerTls> tls) {
    const auto shared = std::make_shared<http::ListenSocket>(std::move(socket));
    reactor_.post([this, id, shared, tls = std::move(tls)] {
        auto listener = std::make_unique<http::Listener>(reactor_, std::move(*shared), pipeline_,
                                                         sessions_, admission_);
        listener->set_tls(tls);
        if (draining_) listener->stop();
        listeners_.emplace_back(id, std::move(listener));
    });
}

void Worker::close_listener(const std::string& id) {
    reactor_.post([this, id] {
        std::erase_if(listeners_, [&](const auto& entry) { return entry.first == id; });
    });
}

void Worker::start() {
    thread_ = std::thread{[this] { run(); }};
    const std::string name = "sluice-" + std::to_string(index_);
    ::pthread_setname_np(thread_.native_handle(), name.c_str());
}

void Worker::run() {
    reactor_.timers().arm(tick_, reactor_.now() + kTick);
    try {
        reactor_.run([this] { finish_if_drained(); });
    } catch (const std::exception& e) {
        log::error("worker {} ended: {}", index_, e.what());
    }
    listeners_.clear();
    sessions_.cancel_all();
    pool_.close_all();
    flush_logs();
    finished_ = true;
}

void Worker::tick() {
    reactor_.timers().arm(tick_, reactor_.now() + kTick);
    flush_logs();
    if (++ticks_ % kTicksPerSecond != 0) return;
    for (const auto& stage : pipeline_.snapshot().stages) {
        if (stage->cache) stage->cache->sweep_front(index_);
    }
}

void Worker::flush_logs() {
    spans_.flush(index_);
    for (const auto& stage : pipeline_.snapshot().stages) {
        if (stage->log_file) stage->log_file->flush(index_);
        if (stage->execution_log) stage->execution_log->flush(index_);
    }
    for (const auto& file : retired_logs_)
        file->flush(index_);
}

void Worker::use(gateway::SnapshotPtr snapshot) {
    reactor_.post([this, snapshot = std::move(snapshot)] {
        // Requests under way still write to the files of the snapshot they started with.
        retired_logs_.clear();
        for (const auto& stage : pipeline_.snapshot().stages) {
            if (stage->log_file) retired_logs_.push_back(stage->log_file);
            if (stage->execution_log) retired_logs_.push_back(stage->execution_log);
        }
        pipeline_.use(snapshot);
    });
}

void Worker::use_tls(const std::string& id, std::shared_ptr<const net::ServerTls> tls) {
    reactor_.post([this, id, tls = std::move(tls)] {
        for (auto& [listener_id, listener] : listeners_) {
            if (listener_id == id) listener->set_tls(tls);
        }
    });
}

void Worker::drain() {
    reactor_.post([this] {
        draining_ = true;
        for (auto& entry : listeners_)
            entry.second->stop();
        sessions_.drain();
    });
}

void Worker::stop() {
    reactor_.post([this] {
        sessions_.cancel_all();
        reactor_.stop();
    });
}

void Worker::finish_if_drained() {
    if (draining_ && sessions_.size() == 0) reactor_.stop();
}

}  // namespace sluice::app
