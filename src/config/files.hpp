// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace sluice::config {

struct FileText {
    std::string text{};
    std::string fault{};  ///< not empty: why it could not be read
};

/// The whole of a regular file (or pipe) of at most `limit` bytes.
FileText read_file(const std::filesystem::path&, std::size_t limit);

/// A secret: at most 64 KiB, without the line end at the end, not empty.
FileText read_secret(const std::filesystem::path&);

}  // namespace sluice::config
