// SPDX-License-Identifier: Apache-2.0
#include "config/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "config/text.hpp"

namespace sluice::config {
namespace {

std::string fault(const std::filesystem::path& path, int error) {
    std::array<char, 128> buffer{};
    return "cannot read " + in_quotes(path.string()) + ": " +
           strerror_r(error, buffer.data(), buffer.size());
}

}  // namespace

FileText read_file(const std::filesystem::path& path, std::size_t limit) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return {{}, fault(path, errno)};
    FileText out;
    struct stat status {};
    if (::fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) out.fault = fault(path, EISDIR);
    std::array<char, 65536> buffer{};
    while (out.fault.empty()) {
        const ssize_t got = ::read(file, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) out.fault = fault(path, errno);
        if (got <= 0) break;
        out.text.append(buffer.data(), static_cast<std::size_t>(got));
        if (out.text.size() > limit) {
            out.fault =
                in_quotes(path.string()) + " is larger than " + std::to_string(limit) + " bytes";
        }
    }
    ::close(file);
    return out;
}

FileText read_secret(const std::filesystem::path& path) {
    constexpr std::size_t kMaxSecretBytes = 65'536;
    FileText out = read_file(path, kMaxSecretBytes);
    if (!out.fault.empty()) return {{}, out.fault};
    out.text = std::string(trimmed(out.text));
    if (out.text.empty()) out.fault = in_quotes(path.string()) + " is empty";
    return out;
}

}  // namespace sluice::config
