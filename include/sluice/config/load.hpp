// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sluice/config/model.hpp"

namespace sluice::config {

enum class Severity { error, warning };

/// One thing wrong (error) or suspicious (warning) in the files.
struct Problem {
    Severity severity = Severity::error;
    Location where{};
    std::string message{};  ///< names the key; for an unknown key, the nearest valid one
};

using Problems = std::vector<Problem>;

/// "file:line:column: message"; warnings read "file:line:column: warning: message".
std::string to_string(const Problem&);

struct Loaded {
    Config config{};      ///< usable only when ok()
    Problems problems{};  ///< every problem, in file order
    bool ok() const;      ///< no error among the problems
};

/// Reads a file, or of a directory every *.yaml, *.yml and *.json in name order; substitutes
/// ${ENV} and file: secrets; checks references and ranges. Never throws for bad input.
Loaded load(const std::filesystem::path&);

/// The same for text that is not in a file (tests). Relative paths are relative to `base`.
Loaded load_text(const std::string& yaml, const std::string& name = "config.yaml",
                 const std::filesystem::path& base = ".");

/// Normalised YAML of a configuration, secrets masked.
std::string dump(const Config&);

/// The same as JSON text (for GET /config).
std::string dump_json(const Config&);

/// JSON Schema (draft-07) of the YAML, pretty-printed.
std::string schema();

/// The configuration reference in Markdown, from the same tables as the schema.
std::string reference_markdown();

}  // namespace sluice::config
