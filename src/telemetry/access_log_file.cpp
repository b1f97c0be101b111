// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "sluice/telemetry/access_log.hpp"
#include "sluice/telemetry/log.hpp"
#include "telemetry/output.hpp"
#include "telemetry/quiet_thread.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::size_t kHandOverBytes = 64 * 1024;
constexpr std::size_t kMaxWaitingBytes = 16 * 1024 * 1024;
constexpr std::size_t kMaxSpareBuffers = 64;
constexpr std::size_t kMaxSpareBytes = 4 * kHandOverBytes;  ///< a buffer grown beyond is freed

/// One thing for the writer to do, in order.
struct Job {
    Output* output = nullptr;
    std::string lines;
    bool reopen = false;
};

/// The bounded queue between workers and the writer. The mutex is held to move pointers only,
/// never while writing, and no longer when the writer is woken: on one CPU it may run at once.
class Queue {
public:
    explicit Queue(std::atomic<std::uint64_t>& dropped) : dropped_(dropped) {}

    /// Takes the lines, or drops and counts them; leaves `lines` empty, with memory to reuse
    /// where there is some.
    void push(Output& output, std::string& lines) {
        if (take(output, lines)) {
            wake_writer_.notify_one();
            return;
        }
        dropped_ += count_lines(lines);
        lines.clear();
    }

    void push_reopen(Output& output) {
        {
            const std::lock_guard lock(mutex_);
            jobs_.push_back({&output, {}, true});
            ++pushed_;
        }
        wake_writer_.notify_one();
    }

    /// The next job; false when the queue is closed and empty.
    bool pop(Job& job) {
        std::unique_lock lock(mutex_);
        wake_writer_.wait(lock, [this] { return !jobs_.empty() || closed_; });
        if (jobs_.empty()) return false;
        job = std::move(jobs_.front());
        jobs_.pop_front();
        return true;
    }

    void done(Job& job) {
        const std::lock_guard lock(mutex_);
        waiting_bytes_ -= job.lines.size();
        job.lines.clear();
        if (job.lines.capacity() >= kHandOverBytes && job.lines.capacity() <= kMaxSpareBytes &&
            spares_.size() < kMaxSpareBuffers) {
            spares_.push_back(std::move(job.lines));
        }
        ++finished_;
        wake_drainers_.notify_all();
    }

    void drain() {
        std::unique_lock lock(mutex_);
        const std::uint64_t target = pushed_;
        wake_drainers_.wait(lock, [&] { return finished_ >= target; });
    }

    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        wake_writer_.notify_one();
    }

    void count_dropped(std::size_t lines) { dropped_ += lines; }

private:
    bool take(Output& output, std::string& lines) {
        const std::lock_guard lock(mutex_);
        if (closed_ || waiting_bytes_ + lines.size() > kMaxWaitingBytes) return false;
        waiting_bytes_ += lines.size();
        std::string spare;
        if (!spares_.empty()) {
            spare = std::move(spares_.back());
            spares_.pop_back();
        }
        jobs_.push_back({&output, std::exchange(lines, std::move(spare))});
        ++pushed_;
        return true;
    }

    std::atomic<std::uint64_t>& dropped_;
    std::mutex mutex_;
    std::condition_variable wake_writer_, wake_drainers_;
    std::deque<Job> jobs_;
    std::vector<std::string> spares_;
    std::size_t waiting_bytes_ = 0;  ///< with what is being written
    std::uint64_t pushed_ = 0, finished_ = 0;
    bool closed_ = false;
};

class File final : public AccessLogFile {
public:
    File(const std::filesystem::path& path, unsigned workers, std::shared_ptr<Queue> queue)
        : output_(path, /*standard output*/ 1), buffers_(workers), queue_(std::move(queue)) {}

    Output& output() { return output_; }

    std::string& buffer(unsigned worker) override { return buffers_[worker].lines; }

    void filled(unsigned worker) override {
        std::string& lines = buffers_[worker].lines;
        if (lines.size() >= kHandOverBytes) queue_->push(output_, lines);
    }

    void flush(unsigned worker) override {
        std::string& lines = buffers_[worker].lines;
        if (lines.empty()) return;
        // A copy of the size needed: many quiet files must not each pin a large buffer.
        std::string copy = lines;
        lines.clear();
        queue_->push(output_, copy);
    }

private:
    struct alignas(64) Buffer {
        std::string lines;
    };

    Output output_;
    std::vector<Buffer> buffers_;
    std::shared_ptr<Queue> queue_;
};

std::string key_of(const std::filesystem::path& path) {
    if (path == "-") return "-";
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(path, ignored);
    return (ignored ? path : absolute).lexically_normal().string();
}

}  // namespace

struct AccessLogs::Impl {
    Impl(unsigned count, std::atomic<std::uint64_t>& dropped, std::string_view name)
        : workers(std::max(count, 1u)),
          what(name),
          queue(std::make_shared<Queue>(dropped)),
          writer(quiet_thread([this] { write_all(); })) {}

    void write_all() {
        for (Job job; queue->pop(job); queue->done(job))
            perform(job);
    }

    void perform(Job& job) {
        Output& output = *job.output;
        const bool was_well = output.problem().empty();
        std::string error;
        if (job.reopen) {
            output.open(error);
        } else if (const std::size_t lost = output.write(job.lines, hurry); lost != 0) {
            queue->count_dropped(lost);
        }
        if (was_well == output.problem().empty()) return;
        if (was_well) {
            log::error("{} {}: {}", what, output.path().string(), output.problem());
        } else {
            log::info("{} {}: written again", what, output.path().string());
        }
    }

    const unsigned workers;
    const std::string what;
    std::atomic<bool> hurry{false};
    std::shared_ptr<Queue> queue;
    std::mutex mutex;  ///< guards files
    std::map<std::string, std::shared_ptr<File>> files;
    std::thread writer;
};

AccessLogs::AccessLogs(unsigned workers, std::atomic<std::uint64_t>& dropped, std::string_view what)
    : impl_(std::make_unique<Impl>(workers, dropped, what)) {}

AccessLogs::~AccessLogs() {
    impl_->hurry = true;
    impl_->queue->close();
    impl_->writer.join();
}

std::shared_ptr<AccessLogFile> AccessLogs::open(const std::filesystem::path& path,
                                                std::string& error) {
    const std::lock_guard lock(impl_->mutex);
    const std::string key = key_of(path);
    if (const auto known = impl_->files.find(key); known != impl_->files.end()) {
        return known->second;
    }
    auto file = std::make_shared<File>(key, impl_->workers, impl_->queue);
    if (!file->output().open(error)) {
        error = key + ": " + error;
        return nullptr;
    }
    impl_->files.emplace(key, file);
    return file;
}

void AccessLogs::reopen() {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& [key, file] : impl_->files)
        impl_->queue->push_reopen(file->output());
}

void AccessLogs::drain() { impl_->queue->drain(); }

}  // namespace sluice::telemetry
