// SPDX-License-Identifier: Apache-2.0
#include "gateway/observation.hpp"

namespace sluice::gateway {

std::unique_ptr<Observation> Observation::begin(Exchange& x) {
    const Watch& watch = *x.method->watch;
    const bool logs = watch.log_level != config::LoggingLevel::off;
    const bool traces = watch.tracing && join_trace(x, *watch.tracing);
    if (!logs && !traces) return nullptr;
    auto observation = std::make_unique<Observation>(x);
    if (logs) observation->log_.emplace(watch);
    if (traces) observation->trace_.emplace(x, *watch.tracing);
    x.observation = observation.get();
    return observation;
}

void Observation::filtered() {
    if (log_) log_->filtered();
}

void Observation::backend_called(std::string_view method, std::string_view path) {
    if (log_) log_->backend_called(path);
    if (trace_) trace_->backend_called(method, path);
}

void Observation::try_began(const upstream::Target& target) {
    if (log_) log_->try_began(target);
    if (trace_) trace_->try_began(x_, target);
}

void Observation::backend_request(std::string_view head) {
    if (log_) log_->backend_request(head);
}

void Observation::request_body(std::string_view piece) {
    if (log_) log_->request_body(piece);
}

void Observation::backend_response(const http::ResponseHead& head) {
    if (log_) log_->backend_response(head);
}

void Observation::try_ended(const upstream::Forwarding& result) {
    if (log_) log_->try_ended(result);
    if (trace_) trace_->try_ended(x_, result);
}

void Observation::response_head(std::string_view head) {
    if (log_) log_->response_head(head);
}

void Observation::response_body(std::string_view piece) {
    if (log_) log_->response_body(piece);
}

void Observation::finished() {
    if (log_) log_->finished(x_);
    if (trace_) trace_->finished(x_);
}

}  // namespace sluice::gateway
