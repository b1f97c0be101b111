// SPDX-License-Identifier: Apache-2.0
#include "app/huge_pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1; older headers do not name it
#endif

namespace sluice::app {
namespace {

constexpr std::uintptr_t kHugePage = 2U << 20;
constexpr std::size_t kLeast = 4U << 20;
// Of all together: below it the processor's own tables nearly suffice.
constexpr std::size_t kWorthwhile = 64U << 20;

/// One mapping of /proc/self/smaps.
struct Mapping {
    std::uintptr_t begin = 0, end = 0;
    bool is_heap = false;  // private, writable, of no file
    std::size_t resident = 0;
    std::size_t huge = 0;

    std::size_t size() const { return end - begin; }
    /// Of the heap. Collapsing fills holes: only what is nearly full is worth it, so no stack ever.
    bool pays() const {
        return size() >= kLeast && resident >= size() / 8 * 7 && huge < size() / 2;
    }
};

/// "7f0000000000-7f0000200000 rw-p 00000000 00:00 0   [heap]"
bool read_header(std::string_view line, Mapping& out) {
    const char* const end = line.data() + line.size();
    const auto begin = std::from_chars(line.data(), end, out.begin, 16);
    if (begin.ec != std::errc{} || begin.ptr == end || *begin.ptr != '-') return false;
    const auto stop = std::from_chars(begin.ptr + 1, end, out.end, 16);
    if (stop.ec != std::errc{}) return false;
    const std::string_view rest{stop.ptr, static_cast<std::size_t>(end - stop.ptr)};
    const bool has_name = rest.find('/') != rest.npos || rest.find('[') != rest.npos;
    out.is_heap = rest.starts_with(" rw-p") && (!has_name || rest.ends_with("[heap]"));
    return true;
}

/// "Rss:     1234 kB" after its name, in bytes.
std::size_t read_size(std::string_view line, std::string_view name) {
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::size_t kilobytes = 0;
    std::from_chars(line.data(), line.data() + line.size(), kilobytes);
    return kilobytes * 1024;
}

std::vector<Mapping> read_mappings() {
    std::ifstream in{"/proc/self/smaps"};
    std::vector<Mapping> mappings;
    for (std::string line; std::getline(in, line);) {
        Mapping next;
        if (read_header(line, next)) {
            mappings.push_back(next);
        } else if (line.starts_with("Rss:") && !mappings.empty()) {
            mappings.back().resident = read_size(line, "Rss:");
        } else if (line.starts_with("AnonHugePages:") && !mappings.empty()) {
            mappings.back().huge = read_size(line, "AnonHugePages:");
        }
    }
    return mappings;
}

std::size_t collapse(const Mapping& m) {
    const std::uintptr_t begin = (m.begin + kHugePage - 1) / kHugePage * kHugePage;
    const std::uintptr_t end = m.end / kHugePage * kHugePage;
    if (begin >= end) return 0;
    const bool done = ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_COLLAPSE) == 0;
    return done ? end - begin : 0;
}

}  // namespace

std::size_t use_huge_pages() {
    std::vector<Mapping> heap;
    std::size_t resident = 0;
    for (const Mapping& m : read_mappings()) {
        if (!m.is_heap) continue;
        resident += m.resident;
        if (m.pays()) heap.push_back(m);
    }
    if (resident < kWorthwhile) return 0;
    std::size_t bytes = 0;
    for (const Mapping& m : heap)
        bytes += collapse(m);
    return bytes;
}

}  // namespace sluice::app
