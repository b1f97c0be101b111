// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <iostream>

#include "app/cli.hpp"

int main(int argc, char** argv) {
    try {
        return sluice::app::run_command(argc, argv);
    } catch (const std::exception& e) {
        std::cerr << "sluice: " << e.what() << '\n';
        return sluice::app::kFailed;
    }
}
