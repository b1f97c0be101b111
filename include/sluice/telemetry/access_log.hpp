// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/telemetry/access_record.hpp"

namespace sluice::telemetry {

/// A format compiled to a list of steps: no parsing, no look-up by name, no allocation per line.
class AccessLogFormat {
public:
    /// CLF, JSON, XML, CSV or a template of $context variables (aws-semantics 15.2). On a
    /// mistake `error` says which variable or rule, and the result is null.
    static std::shared_ptr<const AccessLogFormat> compile(std::string_view text,
                                                          std::string& error);
    virtual ~AccessLogFormat() = default;
    /// Appends one line, ending in '\n'; values are escaped for the format so that no request
    /// can forge a line.
    virtual void append(const AccessRecord&, std::string& out) const = 0;

    /// Whether lines show these parts of a record. Where they do not, the record need not have
    /// them: they lie where nothing else of a request is, or must be written first.
    bool shows_api_key_id() const { return shows_api_key_id_; }
    bool shows_trace_id() const { return shows_trace_id_; }

protected:
    bool shows_api_key_id_ = false, shows_trace_id_ = false;
};

/// Writes lines of many workers to one file. A worker appends to a buffer only it touches and
/// hands it over whole; one thread does the writing. Never blocks a worker: when more than the
/// bound is waiting, lines are dropped and counted.
class AccessLogFile {
public:
    virtual ~AccessLogFile() = default;
    /// Worker's own buffer: append a line here, then call `filled`.
    virtual std::string& buffer(unsigned worker) = 0;
    /// Hands over when the buffer is 64 KiB or larger. `lines` counts what was appended.
    virtual void filled(unsigned worker) = 0;
    /// Hands over whatever there is; each worker calls it every 200 ms and before it ends.
    virtual void flush(unsigned worker) = 0;
};

/// Owns the files and the writer thread. `what` names them in the program's own log: the same
/// machinery writes the execution logs, with a queue and a thread of their own, so that neither
/// log can crowd out the other.
class AccessLogs {
public:
    AccessLogs(unsigned workers, std::atomic<std::uint64_t>& dropped,
               std::string_view what = "access log");
    ~AccessLogs();  ///< writes what was handed over, then ends the thread
    /// The same object for the same path for ever ("-" = standard output). On failure to open,
    /// `error` is set and the result is null.
    std::shared_ptr<AccessLogFile> open(const std::filesystem::path&, std::string& error);
    /// USR1: lines handed over before go to the old file, later ones to the new one.
    void reopen();
    /// Blocks until everything handed over so far is written (shutdown, tests).
    void drain();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::telemetry
