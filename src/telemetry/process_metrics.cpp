// SPDX-License-Identifier: Apache-2.0
#include "telemetry/process_metrics.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include "sluice/telemetry/metrics.hpp"

namespace sluice::telemetry {
namespace {

/// What proc(5) says in /proc/self/stat.
struct Stat {
    double cpu_seconds = 0, start_ticks = 0, virtual_bytes = 0, resident_bytes = 0;
};

std::optional<Stat> read_stat() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    // The command name may hold blanks and parentheses; the fields after it do not.
    const auto name_end = line.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field)
        fields >> skipped;
    double user_ticks = 0, system_ticks = 0, resident_pages = 0;
    Stat stat;
    fields >> user_ticks >> system_ticks;
    for (int field = 16; field < 22; ++field)
        fields >> skipped;
    fields >> stat.start_ticks >> stat.virtual_bytes >> resident_pages;
    if (!fields) return std::nullopt;
    stat.cpu_seconds = (user_ticks + system_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
    stat.resident_bytes = resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
    return stat;
}

std::optional<double> boot_time() {
    std::ifstream file("/proc/stat");
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with("btime ")) return std::stod(line.substr(6));
    }
    return std::nullopt;
}

std::optional<double> open_descriptors() {
    constexpr const char* kFolder = "/proc/self/fd";
    struct stat info {};
    // Since Linux 6.2 the size is the number of entries; counting 100,000 takes 30 ms.
    if (stat(kFolder, &info) == 0 && info.st_size > 0) return static_cast<double>(info.st_size);
    DIR* folder = opendir(kFolder);
    if (folder == nullptr) return std::nullopt;
    double count = -1;  // the one that reads the folder
    while (const dirent* entry = readdir(folder))
        count += entry->d_name[0] == '.' ? 0 : 1;
    closedir(folder);
    return std::max(count, 0.0);
}

void write_gauge(std::string& out, std::string_view name, std::string_view help, double value) {
    write_family(out, name, "gauge", help);
    write_sample(out, name, {}, value);
}

}  // namespace

void write_process_metrics(std::string& out) {
    if (const auto stat = read_stat()) {
        write_family(out, "process_cpu_seconds_total", "counter",
                     "Total user and system CPU time spent in seconds.");
        write_sample(out, "process_cpu_seconds_total", {}, stat->cpu_seconds);
        write_gauge(out, "process_resident_memory_bytes", "Resident memory size in bytes.",
                    stat->resident_bytes);
        write_gauge(out, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
                    stat->virtual_bytes);
        static const std::optional<double> booted = boot_time();
        if (booted) {
            write_gauge(out, "process_start_time_seconds",
                        "Start time of the process since unix epoch in seconds.",
                        *booted + stat->start_ticks / static_cast<double>(sysconf(_SC_CLK_TCK)));
        }
    }
    if (const auto count = open_descriptors()) {
        write_gauge(out, "process_open_fds", "Number of open file descriptors.", *count);
    }
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        write_gauge(out, "process_max_fds", "Maximum number of open file descriptors.",
                    static_cast<double>(limit.rlim_cur));
    }
}

}  // namespace sluice::telemetry
