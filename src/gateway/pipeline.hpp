// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/snapshot.hpp"
#include "gateway/worker_context.hpp"
#include "http/handler.hpp"

namespace sluice::gateway {

/// One worker's gateway: takes a request from routing to access record.
class Pipeline final : public http::Handler {
public:
    Pipeline(WorkerContext& worker, SnapshotPtr snapshot)
        : worker_{worker}, snapshot_{hold(std::move(snapshot))} {}

    /// Requests that have started keep the snapshot they started with.
    void use(SnapshotPtr snapshot) { snapshot_ = hold(std::move(snapshot)); }
    const Snapshot& snapshot() const { return *snapshot_; }

    const http::SessionSettings& settings() const override { return snapshot_->session; }
    Task<void> serve(http::Request&, http::Stream&) override;
    void refuse(int status, std::string_view reason, http::Stream&) override;
    telemetry::WorkerCells& cells() override { return worker_.cells; }

private:
    /// Finds stage and method; false: reply_type says why not.
    bool route(Exchange&) const;
    void finish(Exchange&) noexcept;

    WorkerContext& worker_;
    LocalSnapshotPtr snapshot_;
};

}  // namespace sluice::gateway
