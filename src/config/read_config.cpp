// SPDX-License-Identifier: Apache-2.0
#include "config/names.hpp"
#include "config/read.hpp"

namespace sluice::config {
namespace {

/// A key that only one file may hold, as there is nothing to concatenate.
void only_once(Reader& r, const std::string& key) {
    if (r.describing() || !r.has(key)) return;
    const auto [first, added] = r.reading().singles.emplace(key, r.where(key));
    if (added) return;
    const Location& there = first->second;
    r.problem(key, "second definition; the first is at " + there.file + ":" +
                       std::to_string(there.line) + ":" + std::to_string(there.column));
}

}  // namespace

void read(Reader& r, Config& c) {
    r.object("Config",
             "Everything. Of a directory every file may hold any of these keys; lists are "
             "concatenated.");
    for (const auto key : {"compatibility", "admin", "server", "state"})
        only_once(r, key);
    r.optional("compatibility", c.compatibility,
               "`standard`: a correct, friendly proxy. `aws`: API Gateway's exact wire behaviour.",
               kCompatibilities);
    r.optional("listeners", c.listeners,
               "Where clients connect; absent = `public` on 0.0.0.0:8080.");
    r.optional("admin", c.admin, "The admin listener.");
    r.optional("server", c.server, "The whole program.");
    r.optional("state", c.state, "Counters of quotas.");
    r.optional("restApis", c.rest_apis, "APIs.", AwsList{});
    r.optional("stages", c.stages, "Published APIs.", AwsList{});
    r.optional("usagePlans", c.usage_plans, "Throttles and quotas of callers.", AwsList{});
    r.optional("apiKeys", c.api_keys, "Callers' keys.", AwsList{});
    std::vector<KeyFile> files;
    r.optional("apiKeyFiles", files, "Files in AWS's CSV import format.");
    if (!r.describing()) {
        auto& all = r.reading().key_files;
        all.insert(all.end(), files.begin(), files.end());
    }
    r.optional("domainNames", c.domain_names,
               "Host names; absent = `/{stage}/{path}` on every host.", AwsList{});
    r.optional("backends", c.backends, "Named upstreams.");
}

}  // namespace sluice::config
