// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gateway/uri_template.hpp"
#include "integrations/registry.hpp"
#include "sluice/base/result.hpp"

namespace sluice::integrations {

/// Passes request and response through, streamed (aws-semantics 7, HTTP_PROXY).
class HttpProxy final : public Integration {
public:
    static Result<IntegrationPtr> make(const gateway::MethodBuild&, const BackendLookup&);

    struct Settings {
        std::string api_id{};
        std::string http_method{};  ///< empty: the client's
        std::chrono::milliseconds timeout{29'000};
        config::Timeouts client{};
    };
    HttpProxy(Settings settings, gateway::UriTemplate uri,
              std::shared_ptr<const upstream::Backend> backend)
        : settings_{std::move(settings)}, uri_{std::move(uri)}, backend_{std::move(backend)} {}

    Task<void> call(Exchange&) const override;

private:
    friend class ProxiedRequest;
    Settings settings_;
    gateway::UriTemplate uri_;
    std::shared_ptr<const upstream::Backend> backend_;
};

}  // namespace sluice::integrations
