// SPDX-License-Identifier: Apache-2.0
// floor: config
//
// Any text is refused with positions or loaded; what is loaded survives its own dump.
#include <cstdint>
#include <string>

#include "fuzz/check.hpp"
#include "sluice/config/load.hpp"

namespace {

using sluice::config::Config;
using sluice::config::Loaded;
using sluice::config::Problem;
using sluice::config::Severity;

/// Without what a dump masks.
Config without_secrets(Config config) {
    config.api_keys.clear();
    config.admin.reset();
    return config;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 16'384) return 0;
    const std::string text{reinterpret_cast<const char*>(data), size};
    if (text.find("/dev") != std::string::npos) return 0;  // a terminal would be waited for
    const Loaded loaded = sluice::config::load_text(text, "fuzz.yaml", "/nonexistent");
    for (const Problem& problem : loaded.problems) {
        FUZZ_CHECK(problem.where.line >= 1 && problem.where.column >= 1);
        FUZZ_CHECK(!problem.message.empty());
        FUZZ_CHECK(to_string(problem).find('\n') == std::string::npos);
    }
    FUZZ_CHECK(!sluice::config::dump_json(loaded.config).empty());
    if (!loaded.ok()) return 0;
    const std::string once = dump(without_secrets(loaded.config));
    const Loaded again = sluice::config::load_text(once, "dump.yaml", "/");
    FUZZ_CHECK(again.ok());
    FUZZ_CHECK(dump(without_secrets(again.config)) == once);
    return 0;
}
