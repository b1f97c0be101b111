// SPDX-License-Identifier: Apache-2.0
#include "sluice/config/load.hpp"

#include <algorithm>
#include <map>
#include <system_error>

#include "config/check.hpp"
#include "config/files.hpp"
#include "config/locate.hpp"
#include "config/node.hpp"
#include "config/otel_environment.hpp"
#include "config/read.hpp"
#include "config/text.hpp"
#include "sluice/config/key_csv.hpp"

namespace sluice::config {
namespace {

namespace fs = std::filesystem;

class Loading {
public:
    /// The environment's settings come first, so that the files win.
    Loading() { loaded_.config.server.tracing = environment_.tracing; }

    void read_text(const std::string& text, const std::string& name, const fs::path& base) {
        files_.push_back(name);
        reading_.file = name;
        reading_.base = base;
        const Node& root = locator_.keep(name, parse_yaml(text, name, reading_.problems));
        if (root.is_null()) return;  // an empty file says nothing
        Reader(reading_, root, "").value(loaded_.config);
    }

    void read_file_at(const fs::path& path) {
        auto content = read_file(path, kMaxFileBytes);
        if (!content.fault.empty()) return fail({path.string(), 1, 1}, content.fault);
        read_text(content.text, path.string(), path.parent_path());
    }

    void fail(Location where, std::string message) {
        reading_.problems.push_back({Severity::error, std::move(where), std::move(message)});
    }

    Loaded finish() {
        apply_defaults();
        for (const KeyFile& file : reading_.key_files)
            import_keys(file);
        check_all();
        report_environment();
        sort_problems();
        loaded_.problems = std::move(reading_.problems);
        return std::move(loaded_);
    }

private:
    void apply_defaults() {
        Config& config = loaded_.config;
        if (config.listeners.empty()) {
            config.listeners.push_back({.name = "public", .address = "0.0.0.0", .port = 8080});
        }
        for (std::size_t i = 0; i < config.listeners.size(); ++i) {
            std::string& name = config.listeners[i].name;
            if (name.empty()) name = "listener" + std::to_string(i + 1);
        }
        // Nobody named it, so there is no file it could be relative to.
        std::error_code ignored;
        const fs::path state = fs::absolute(config.state.path, ignored);
        if (!ignored) config.state.path = state;
        std::string& logs = config.server.execution_log.directory;
        if (logs != "-") {
            const fs::path folder = fs::absolute(logs, ignored).lexically_normal();
            if (!ignored) logs = folder.has_filename() ? folder : folder.parent_path();
        }
        if (config.compatibility != Compatibility::aws) return;
        constexpr std::size_t kAwsHeaderBytes = 10'240;  // aws-semantics 8
        if (!reading_.header_bytes_set) config.server.limits.header_bytes = kAwsHeaderBytes;
        if (!reading_.underscores_set) config.server.pass_headers_with_underscores = true;
    }

    void import_keys(const KeyFile& file) {
        const auto content = read_file(file.path, kMaxFileBytes);
        if (!content.fault.empty()) return fail(file.where, "apiKeyFiles: " + content.fault);
        const std::string name = file.path.string();
        files_.push_back(name);
        KeyCsv csv = parse_key_csv(content.text, loaded_.config.usage_plans);
        if (!csv.error.empty()) return fail({name, 1, 1}, csv.error);
        for (const KeyCsvWarning& row : csv.warnings) {
            reading_.problems.push_back({Severity::warning, {name, row.line, 1}, to_string(row)});
        }
        for (ApiKey& key : csv.keys) {
            key.where.file = name;
            loaded_.config.api_keys.push_back(std::move(key));
        }
    }

    /// Variables of OpenTelemetry matter when something is traced.
    void report_environment() {
        const Config& config = loaded_.config;
        const auto traces = [](const Stage& stage) { return stage.tracing_enabled; };
        if (std::none_of(config.stages.begin(), config.stages.end(), traces)) return;
        for (const std::string& text : environment_.errors)
            reading_.problems.push_back({Severity::error, {"environment", 0, 0}, text});
        for (const std::string& text : environment_.warnings)
            reading_.problems.push_back({Severity::warning, {"environment", 0, 0}, text});
    }

    void check_all() {
        Findings findings;
        check(loaded_.config, findings);
        for (auto& [problem, below] : findings) {
            problem.where = locator_.locate(problem.where, below);
            reading_.problems.push_back(std::move(problem));
        }
    }

    void sort_problems() {
        std::map<std::string, std::size_t> rank;
        for (const std::string& file : files_)
            rank.emplace(file, rank.size());
        const auto order = [&](const Problem& a, const Problem& b) {
            const auto key = [&](const Problem& p) {
                return std::tuple(rank[p.where.file], p.where.line, p.where.column);
            };
            return key(a) < key(b);
        };
        std::stable_sort(reading_.problems.begin(), reading_.problems.end(), order);
    }

    OtelSettings environment_ = read_otel(otel_variables());
    Reading reading_{};
    Loaded loaded_{};
    Locator locator_{};
    std::vector<std::string> files_{};
};

bool is_config_file(const fs::path& path) {
    const std::string extension = path.extension().string();
    return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

void read_directory(const fs::path& folder, Loading& loading) {
    std::vector<fs::path> files;
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end;
         it.increment(failed)) {
        std::error_code ignored;
        if (is_config_file(it->path()) && !it->is_directory(ignored)) files.push_back(it->path());
    }
    const std::string shown = folder.string();
    if (failed)
        return loading.fail({shown, 0, 0}, "cannot read the directory: " + failed.message());
    if (files.empty())
        return loading.fail({shown, 0, 0}, "no *.yaml, *.yml or *.json in the directory");
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files)
        loading.read_file_at(file);
}

}  // namespace

std::string to_string(const Problem& problem) {
    const Location& at = problem.where;
    return at.file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " +
           (problem.severity == Severity::warning ? "warning: " : "") + problem.message;
}

bool Loaded::ok() const {
    return std::none_of(problems.begin(), problems.end(),
                        [](const Problem& p) { return p.severity == Severity::error; });
}

Loaded load(const fs::path& path) {
    Loading loading;
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        read_directory(path, loading);
    } else {
        loading.read_file_at(path);
    }
    return loading.finish();
}

Loaded load_text(const std::string& yaml, const std::string& name, const fs::path& base) {
    Loading loading;
    loading.read_text(yaml, name, base);
    return loading.finish();
}

}  // namespace sluice::config
