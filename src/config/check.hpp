// SPDX-License-Identifier: Apache-2.0
//
// References and rules that need the whole configuration. Pure.
#pragma once

#include <string>
#include <vector>

#include "sluice/config/load.hpp"

namespace sluice::config {

/// A problem, and which keys (or list items) below `problem.where` it is about.
struct Finding {
    Problem problem{};
    std::vector<std::string> below{};
};
using Findings = std::vector<Finding>;

void check(const Config&, Findings&);

// The parts of it, each in a file of its own.
void check_apis(const Config&, Findings&);       // check_apis.cpp
void check_caching(const Config&, Findings&);    // check_caching.cpp
void check_stages(const Config&, Findings&);     // check_stages.cpp
void check_plans(const Config&, Findings&);      // check_plans.cpp
void check_listeners(const Config&, Findings&);  // check_domains.cpp
void check_domains(const Config&, Findings&);    // check_domains.cpp

/// "file:line:column" of an earlier definition.
std::string place(const Location&);

const RestApi* find_api(const Config&, const std::string& id);
const Stage* find_stage(const Config&, const std::string& api, const std::string& stage);

/// Reports an API or a stage that is not there, with the nearest that is. `who` names the
/// object that refers to it.
struct StageReference {
    const std::string& api;
    const std::string& stage;
    const char* api_key;  ///< the key that names the API
    const Location& where;
};
bool check_stage_reference(const Config&, const StageReference&, const std::string& who, Findings&);

inline void error(Findings& findings, const Location& where, std::string message,
                  std::vector<std::string> below = {}) {
    findings.push_back({{Severity::error, where, std::move(message)}, std::move(below)});
}
inline void warning(Findings& findings, const Location& where, std::string message,
                    std::vector<std::string> below = {}) {
    findings.push_back({{Severity::warning, where, std::move(message)}, std::move(below)});
}

}  // namespace sluice::config
