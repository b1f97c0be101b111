// SPDX-License-Identifier: Apache-2.0
//
// The status page: files of src/admin/page, put into the program when it is built.
#pragma once

#include <span>
#include <string_view>

#include "admin/message.hpp"

namespace sluice::admin {

struct PageFile {
    std::string_view name;  ///< in src/admin/page
    std::string_view text;
};

/// Generated: cmake/embed_page.cmake.
std::span<const PageFile> page_files();

/// The file of that name, "" being index.html; 404 when there is none.
Reply page_reply(std::string_view name);

}  // namespace sluice::admin
