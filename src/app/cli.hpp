// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sluice::app {

/// Exit codes of contract 2.
enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2, kInvalidConfig = 3 };

/// Parses the command line, runs the command, returns the exit code.
int run_command(int argc, char** argv);

}  // namespace sluice::app
