// SPDX-License-Identifier: Apache-2.0
#include "integrations/mock.hpp"

#include "gateway/response.hpp"

namespace sluice::integrations {

Result<IntegrationPtr> Mock::make(const gateway::MethodBuild& build) {
    const config::Integration& c = build.method_config.integration;
    std::string fields;
    bool has_type = false;
    for (const auto& [name, value] : c.headers) {
        has_type = has_type || http::iequals(name, "Content-Type");
        fields += name + ": " + value + "\r\n";
    }
    if (!has_type) fields += "Content-Type: application/json\r\n";  // aws-semantics 7.5
    return IntegrationPtr{std::make_unique<Mock>(c.status_code, std::move(fields), c.body)};
}

Task<void> Mock::call(Exchange& x) const {
    if (x.fill) {
        const auto ttl = x.caching->ttl();
        if (x.fill.append(body_)) {
            x.fill.commit(status_, fields_, x.started, x.started + ttl, 0);
        }
    }
    thread_local ByteWriter fields{1024};
    fields.clear();
    fields.text(fields_);
    gateway::write_date(fields, x.wall);
    gateway::send_whole(x, status_, fields.view(), body_);
    co_return;
}

}  // namespace sluice::integrations
