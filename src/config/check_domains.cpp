// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "config/check.hpp"
#include "config/text.hpp"

namespace sluice::config {
namespace {

class FirstPlaces {
public:
    FirstPlaces(std::string what, std::string key, Findings& findings)
        : what_(std::move(what)), key_(std::move(key)), findings_(findings) {}

    void add(const std::string& name, const Location& where) {
        if (name.empty()) return;
        const auto [first, added] = places_.emplace(name, where);
        if (added) return;
        error(findings_, where,
              what_ + " " + in_quotes(name) + "; the first is at " + place(first->second), {key_});
    }

private:
    std::string what_;
    std::string key_;
    Findings& findings_;
    std::map<std::string, Location> places_{};
};

std::string socket_name(const std::string& address, std::uint16_t port) {
    return port == 0 ? "" : address + " port " + std::to_string(port);
}

}  // namespace

void check_listeners(const Config& config, Findings& findings) {
    FirstPlaces names("listeners: second definition of name", "name", findings);
    FirstPlaces sockets("listeners: a second listener on", "port", findings);
    for (const Listener& listener : config.listeners) {
        names.add(listener.name, listener.where);
        sockets.add(socket_name(listener.address, listener.port), listener.where);
    }
    const Admin admin = config.admin.value_or(Admin{});
    if (config.admin) sockets.add(socket_name(admin.address, admin.port), admin.where);
}

void check_domains(const Config& config, Findings& findings) {
    FirstPlaces domains("domainNames: second definition of domainName", "domainName", findings);
    for (const DomainName& domain : config.domain_names) {
        if (domain.domain_name.empty()) continue;  // reported where it was read
        domains.add(domain.domain_name, domain.where);
        const std::string who = "domainNames " + in_quotes(domain.domain_name);
        std::map<std::string, Location> paths;
        for (const BasePathMapping& mapping : domain.mappings) {
            check_stage_reference(config,
                                  {mapping.rest_api_id, mapping.stage, "restApiId", mapping.where},
                                  who, findings);
            const auto [first, added] = paths.emplace(mapping.base_path, mapping.where);
            if (added) continue;
            error(findings, mapping.where,
                  who + ": second mapping of basePath " + in_quotes(mapping.base_path) +
                      "; the first is at " + place(first->second),
                  {"basePath"});
        }
        if (domain.mappings.empty()) {
            warning(findings, domain.where, who + ": has no basePathMappings, so nothing answers");
        }
    }
    FirstPlaces backends("backends: second definition of name", "name", findings);
    for (const Backend& backend : config.backends)
        backends.add(backend.name, backend.where);
}

}  // namespace sluice::config
