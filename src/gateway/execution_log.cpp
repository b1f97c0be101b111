// SPDX-License-Identifier: Apache-2.0
#include "gateway/execution_log.hpp"

#include "gateway/execution_maps.hpp"
#include "telemetry/execution_lines.hpp"

namespace sluice::gateway {
namespace {

/// More of a head or a body is never shown.
constexpr std::size_t kMostKept = 2 * telemetry::kLongestExecutionText;
constexpr std::size_t kMostTries = 16;  // of the targets tried, so many are named

void keep(std::string& kept, std::string_view piece) {
    if (kept.size() < kMostKept) kept.append(piece.substr(0, kMostKept - kept.size()));
}

}  // namespace

void ExecutionLog::filtered() { notes_.filtered_at = wall_now(); }

void ExecutionLog::backend_called(std::string_view path) { keep(notes_.path, path); }

void ExecutionLog::try_began(const upstream::Target& target) {
    if (notes_.tries.size() == kMostTries) notes_.tries.pop_back();
    ExecutionNotes::Try& one = notes_.tries.emplace_back();
    one.url = (target.tls ? "https://" : "http://") + target.authority + notes_.path;
    one.at = wall_now();
    notes_.request_head.clear();
    notes_.request_body.clear();
}

void ExecutionLog::backend_request(std::string_view head) {
    if (watch_.data_trace) keep(notes_.request_head, head);
}

void ExecutionLog::request_body(std::string_view piece) {
    if (watch_.data_trace) keep(notes_.request_body, piece);
}

void ExecutionLog::backend_response(const http::ResponseHead& head) {
    if (watch_.data_trace) notes_.backend_fields = fields_map(head.fields);
    notes_.response_body.clear();
    notes_.answered_at = wall_now();
}

void ExecutionLog::try_ended(const upstream::Forwarding& result) {
    if (result.end == upstream::Forwarding::End::failed) {
        notes_.tries.back().error = telemetry::to_string(result.error);
    }
}

void ExecutionLog::response_head(std::string_view head) {
    if (!watch_.data_trace) return;
    notes_.response_head.clear();
    keep(notes_.response_head, head);
    notes_.response_body.clear();
}

void ExecutionLog::response_body(std::string_view piece) {
    if (watch_.data_trace) keep(notes_.response_body, piece);
}

void ExecutionLog::finished(const Exchange& x) {
    if (!says_everything(watch_) && !has_failed(x)) return;
    telemetry::AccessLogFile& file = *watch_.log_file;
    write_execution_lines(notes_, watch_, x, file.buffer(x.worker.index));
    file.filled(x.worker.index);
}

}  // namespace sluice::gateway
