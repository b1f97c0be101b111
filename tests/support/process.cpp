// SPDX-License-Identifier: Apache-2.0
#include "support/process.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace test {

namespace fs = std::filesystem;

TempDir::TempDir() {
    std::string pattern = (fs::temp_directory_path() / "sluice-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::system_error(errno, std::generic_category(), "mkdtemp");
    path_ = pattern;
}

TempDir::~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

fs::path TempDir::write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    write_file(path_ / name, text);
    return path_ / name;
}

std::string read_file(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void write_file(const fs::path& path, const std::string& text) {
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    if (!(out << text << std::flush)) throw std::runtime_error("cannot write " + path.string());
}

namespace {

struct Pipe {
    Fd read, write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    return {Fd{ends[0]}, Fd{ends[1]}};
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
    }
    for (const auto& [name, value] : added)
        all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

Process::Process(const Command& command) {
    Pipe out = make_pipe();
    Pipe errors = make_pipe();
    std::vector<std::string> words = command.words;
    std::vector<std::string> environment = environment_with(command.environment);
    const std::vector<char*> argv = pointers_to(words);
    const std::vector<char*> envp = pointers_to(environment);
    const std::string directory = command.directory.string();
    const pid_t parent = ::getpid();

    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) {  // between fork and exec only what is async-signal-safe
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(126);
        if (!directory.empty() && ::chdir(directory.c_str()) != 0) ::_exit(126);
        ::dup2(out.write.get(), STDOUT_FILENO);
        ::dup2(errors.write.get(), STDERR_FILENO);
        ::execvpe(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    out_pipe_ = std::move(out.read);
    error_pipe_ = std::move(errors.read);
    out_reader_ = std::thread{[this] { drain(out_pipe_, out_); }};
    error_reader_ = std::thread{[this] { drain(error_pipe_, errors_); }};
}

Process::~Process() {
    if (!wait(0ms)) {
        signal(SIGKILL);
        wait();
    }
    read_rest();
}

void Process::read_rest() {
    if (out_reader_.joinable()) out_reader_.join();
    if (error_reader_.joinable()) error_reader_.join();
}

void Process::drain(const Fd& pipe, std::string& text) {
    std::array<char, 16384> block{};
    for (;;) {
        const ssize_t n = ::read(pipe.get(), block.data(), block.size());
        if (n < 0 && errno == EINTR) continue;
        const std::lock_guard lock{mutex_};
        if (n <= 0) break;
        text.append(block.data(), static_cast<std::size_t>(n));
        changed_.notify_all();
    }
    changed_.notify_all();
}

void Process::signal(int number) {
    if (!status_) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
    eventually(
        [this] {
            if (status_) return true;
            int raw = 0;
            if (::waitpid(pid_, &raw, WNOHANG) != pid_) return false;
            status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : -WTERMSIG(raw);
            return true;
        },
        patience);
    return status_;
}

bool Process::running() { return !wait(0ms); }

std::string Process::out() const {
    const std::lock_guard lock{mutex_};
    return out_;
}

std::string Process::errors() const {
    const std::lock_guard lock{mutex_};
    return errors_;
}

std::optional<std::string> Process::wait_for_line(const std::string& text,
                                                  std::chrono::milliseconds patience) {
    std::optional<std::string> line;
    const auto found = [&] {
        const std::size_t at = errors_.find(text);
        if (at == std::string::npos) return false;
        const std::size_t end = errors_.find('\n', at);
        if (end == std::string::npos) return false;
        const std::size_t begin = errors_.rfind('\n', at) + 1;
        line = errors_.substr(begin, end - begin);
        return true;
    };
    // In slices, so that a program that ended is not waited for.
    const auto deadline = Clock::now() + patience;
    std::unique_lock lock{mutex_};
    while (!changed_.wait_for(lock, 100ms, found)) {
        if (Clock::now() > deadline) break;
        lock.unlock();
        const bool alive = running();
        lock.lock();
        if (!alive && !found()) break;
    }
    return line;
}

Finished run(const Command& command, std::chrono::milliseconds patience) {
    Finished finished;
    Process process{command};
    const std::optional<int> status = process.wait(patience);
    if (!status) throw std::runtime_error(command.words.front() + " does not end");
    finished.status = *status;
    process.read_rest();
    finished.out = process.out();
    finished.errors = process.errors();
    return finished;
}

}  // namespace test
