// SPDX-License-Identifier: Apache-2.0
#include "gateway/observation.hpp"

namespace sluice::gateway {

std::unique_ptr<Observation> Observation::begin(Exchange& x) {
    const Watch& watch = *x.method->watch;
    auto observation = std::make_unique<Observation>();
    if (watch.log_level != config::LoggingLevel::off) observation->log_.emplace(watch);
    x.observation = observation.get();
    return observation;
}

void Observation::filtered() {
    if (log_) log_->filtered();
}

void Observation::backend_called(std::string_view method, std::string_view path) {
    if (log_) log_->backend_called(method, path);
}

void Observation::try_began(const upstream::Target& target) {
    if (log_) log_->try_began(target);
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
}

void Observation::response_head(std::string_view head) {
    if (log_) log_->response_head(head);
}

void Observation::response_body(std::string_view piece) {
    if (log_) log_->response_body(piece);
}

void Observation::finished(const Exchange& x, Duration latency) {
    if (log_) log_->finished(x, latency);
}

}  // namespace sluice::gateway
