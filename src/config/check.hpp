// SPDX-License-Identifier: Apache-2.0
//
// References and rules that need the whole configuration. Pure.
#pragma once

#include "sluice/config/load.hpp"

namespace sluice::config {

void check(const Config&, Problems&);

// The parts of it, each in a file of its own.
void check_apis(const Config&, Problems&);       // check_apis.cpp
void check_caching(const Config&, Problems&);    // check_caching.cpp
void check_stages(const Config&, Problems&);     // check_stages.cpp
void check_plans(const Config&, Problems&);      // check_plans.cpp
void check_listeners(const Config&, Problems&);  // check_domains.cpp
void check_domains(const Config&, Problems&);    // check_domains.cpp

/// "file:line:column" of an earlier definition.
std::string place(const Location&);

const RestApi* find_api(const Config&, const std::string& id);
const Stage* find_stage(const Config&, const std::string& api, const std::string& stage);

/// Reports an API or a stage that is not there, with the nearest that is. `who` names the
/// object that refers to it.
bool check_stage_reference(const Config&, const std::string& api, const std::string& stage,
                           const std::string& who, const Location&, Problems&);

inline void error(Problems& problems, const Location& where, std::string message) {
    problems.push_back({Severity::error, where, std::move(message)});
}
inline void warning(Problems& problems, const Location& where, std::string message) {
    problems.push_back({Severity::warning, where, std::move(message)});
}

}  // namespace sluice::config
