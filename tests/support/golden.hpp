// SPDX-License-Identifier: Apache-2.0
//
// Recorded answers of Amazon API Gateway, replayed against the gateway (tests/golden/cases).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/client.hpp"
#include "support/gateway.hpp"
#include "support/origin.hpp"

namespace test::golden {

using nlohmann::json;

struct Case {
    std::string id{};
    std::string topic{};
    json text{};
};

/// Every case of every file of the folder, in name order.
std::vector<Case> load_cases(const std::filesystem::path& folder);

/// The case's OpenAPI document and stage as our configuration (JSON is YAML), or the reason why
/// it cannot be expressed yet.
struct Translation {
    json config{};
    std::string waits_for{};  ///< empty = can run
};
Translation translate(const Case&);
/// The text of config.yaml: one top-level key per line.
std::string as_yaml(const json& config);

/// The script of the backend that the case asks for.
Script backend_script(const json& backend);

/// Bodies were recorded with and without a blank after the colon; ours have none.
std::string without_blank(std::string body);

/// Sends one step's request through the gateway.
Response send_step(Client&, const json& request, const std::string& stage, const Values& values);
/// Each mismatch is one gtest failure.
void check_response(const json& expect, const Response&, const Values& values);
void check_upstream(const json& upstream, const std::vector<Received>&, const Values& values);
/// Waits until the execution log has a line for each pattern, in this order.
void check_log(const json& log, const std::filesystem::path& file, const Values& values);
/// Whether a response satisfies an alternative of expect_any_of.
bool matches_status(const json& expect, const Response&);

}  // namespace test::golden
