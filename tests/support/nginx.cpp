// SPDX-License-Identifier: Apache-2.0
#include "support/nginx.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace test {

namespace {

// One process in the foreground, so that ending it ends everything.
constexpr const char* kConfiguration = R"(
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
    access_log access.log;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    client_max_body_size 0;
    keepalive_requests 100000;
    server {
        listen 127.0.0.1:@PORT@ backlog=1024;
        root html;
        @LOCATIONS@
    }
}
)";

std::string replaced(std::string text, const std::string& mark, const std::string& value) {
    return text.replace(text.find(mark), mark.size(), value);
}

}  // namespace

std::string find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::istringstream folders{std::string{path ? path : ""} + ":/usr/sbin:/sbin"};
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string candidate = folder + "/" + name;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return {};
}

Nginx::Nginx(const std::string& locations) {
    const std::string program = find_program("nginx");
    if (program.empty()) throw std::runtime_error("nginx is not installed: make deps");
    std::filesystem::create_directory(directory_.path() / "html");
    // nginx cannot choose a port itself; between our choice and its bind somebody may be faster.
    for (int attempt = 0; attempt < 5; ++attempt) {
        port_ = closed_port();
        directory_.write("nginx.conf",
                         replaced(replaced(kConfiguration, "@PORT@", std::to_string(port_)),
                                  "@LOCATIONS@", locations));
        process_ =
            std::make_unique<Process>(Command{.words = {program, "-p", directory_.path().string(),
                                                        "-c", "nginx.conf", "-e", "stderr"}});
        const bool answers = eventually([this] {
            try {
                return !process_->running() || static_cast<bool>(connect_to(port_));
            } catch (const std::exception&) {
                return false;
            }
        });
        if (answers && process_->running()) return;
    }
    throw std::runtime_error("nginx does not start: " + process_->errors());
}

void Nginx::stop() {
    process_->signal(SIGTERM);
    process_->wait();
}

std::string Nginx::access_log() const { return read_file(directory_.path() / "access.log"); }

}  // namespace test
