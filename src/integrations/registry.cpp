// SPDX-License-Identifier: Apache-2.0
#include "integrations/registry.hpp"

#include "integrations/http_proxy.hpp"
#include "integrations/mock.hpp"

namespace sluice::integrations {

Result<IntegrationPtr> make_integration(const gateway::MethodBuild& build,
                                        const BackendLookup& backends) {
    switch (build.method_config.integration.type) {
        case config::IntegrationType::http_proxy:
            return HttpProxy::make(build, backends);
        case config::IntegrationType::mock:
            return Mock::make(build);
    }
    return Error{.origin = Origin::internal, .code = "integration_type", .detail = "unknown"};
}

}  // namespace sluice::integrations
