// SPDX-License-Identifier: Apache-2.0
#include "integrations/http_proxy.hpp"

#include "gateway/observation.hpp"
#include "gateway/snapshot.hpp"
#include "integrations/proxied_request.hpp"
#include "net/scratch.hpp"

namespace sluice::integrations {
namespace {

using http::Framing;
using telemetry::UpstreamError;
using upstream::Forwarding;

/// Running it twice does no more than running it once, and there is no body to repeat.
bool may_repeat(std::string_view method, Framing framing) {
    return framing == Framing::none && (method == "GET" || method == "HEAD" || method == "OPTIONS");
}

Reply reply_for(const Forwarding& f, config::Compatibility compatibility) {
    switch (f.error) {
        case UpstreamError::connect_timeout:
        case UpstreamError::first_byte_timeout:
        case UpstreamError::timeout:
            return Reply::integration_timeout;
        case UpstreamError::no_target:
            return Reply::service_unavailable;
        case UpstreamError::resolve_failed:  // contract 9 "no usable target"; aws-semantics 7.6
            return compatibility == config::Compatibility::aws ? Reply::api_configuration_error
                                                               : Reply::service_unavailable;
        default:
            return Reply::integration_failure;
    }
}

}  // namespace

Result<IntegrationPtr> HttpProxy::make(const gateway::MethodBuild& build,
                                       const BackendLookup& backends) {
    const config::Integration& c = build.method_config.integration;
    auto uri =
        gateway::UriTemplate::compile(c.uri, {.resource_path = build.resource.path,
                                              .stage_variables = &build.stage_config.variables,
                                              .request_parameters = &c.request_parameters});
    if (!uri) return uri.error();
    auto backend = backends(uri->authority(), uri->host(), uri->port(), uri->is_https());
    Settings settings{.api_id = build.api.id,
                      .http_method = c.http_method == "ANY" ? "" : c.http_method,
                      .timeout = c.timeout,
                      .client = build.config.server.timeouts};
    return IntegrationPtr{
        std::make_unique<HttpProxy>(std::move(settings), std::move(*uri), std::move(backend))};
}

Task<void> HttpProxy::call(Exchange& x) const {
    ProxiedRequest job{x, *this};
    const http::RequestHead& head = x.request.head;
    const upstream::ForwardRequest request{.backend = *backend_,
                                           .framing = head.framing,
                                           .content_length = head.content_length,
                                           .is_head = job.method() == "HEAD",
                                           .may_repeat = may_repeat(job.method(), head.framing),
                                           .timeout = settings_.timeout,
                                           .observer = x.observation};
    if (x.observation != nullptr) {
        ByteWriter& path = net::Scratch::of_thread().head;
        path.clear();
        x.observation->backend_called(job.method(),
                                      job.write_target(path) ? path.view() : std::string_view{});
    }
    const Forwarding f = co_await x.worker.forwarder.forward(
        request, job, x.client, settings_.client.body_idle, settings_.client.write_idle);
    x.integration_latency = f.latency;
    x.integration_status = f.status;
    switch (f.end) {
        case Forwarding::End::complete:
            x.answered = f.ended;
            job.finish();
            break;
        case Forwarding::End::failed:
            x.integration_error = telemetry::to_string(f.error);
            x.retry_after = std::chrono::seconds{1};
            x.reply(reply_for(f, x.snapshot.compatibility));
            break;
        case Forwarding::End::client_gone:
            x.client.abort();
            break;
        case Forwarding::End::client_timeout:
            x.reply(Reply::request_timeout);
            break;
        case Forwarding::End::body_malformed:
            x.reply(Reply::bad_request);
            break;
        case Forwarding::End::body_too_large:
            x.reply(Reply::request_too_large);
            break;
    }
    x.fill.abandon();  // nothing when it was committed
}

}  // namespace sluice::integrations
