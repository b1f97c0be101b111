// SPDX-License-Identifier: Apache-2.0
#include "app/cli.hpp"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "admin/client.hpp"
#include "app/application.hpp"
#include "app/verify.hpp"
#include "sluice/config/key_csv.hpp"
#include "sluice/config/key_value.hpp"
#include "sluice/config/load.hpp"

namespace sluice::app {
namespace {

using config::Severity;

struct Options {
    std::string config{};
    std::string format = "text";
    std::string csv{};
    std::string admin = "http://127.0.0.1:9901";
    std::string token_file{};
    std::string plan{};
    std::string key{};
    std::string start_date{};
    std::string end_date{};
    int count = 1;
    bool check = false;
};

void print_text(const config::Problems& problems) {
    for (const config::Problem& p : problems)
        std::cerr << config::to_string(p) << '\n';
}

void print_json(const config::Problems& problems) {
    nlohmann::json list = nlohmann::json::array();
    for (const config::Problem& p : problems) {
        list.push_back({{"severity", p.severity == Severity::error ? "error" : "warning"},
                        {"file", p.where.file},
                        {"line", p.where.line},
                        {"column", p.where.column},
                        {"message", p.message}});
    }
    std::cout << nlohmann::json{{"problems", list}}.dump(2) << '\n';
}

int validate(const Options& o) {
    const config::Loaded loaded = load_and_verify(o.config);
    if (o.format == "json") {
        print_json(loaded.problems);
    } else {
        print_text(loaded.problems);
        if (loaded.ok()) std::cout << o.config << ": ok\n";
    }
    return loaded.ok() ? kOk : kInvalidConfig;
}

int run(const Options& o) {
    if (o.check) return validate(o);
    config::Loaded loaded = load_and_verify(o.config);
    print_text(loaded.problems);
    if (!loaded.ok()) return kInvalidConfig;
    return run_gateway(o.config, std::move(loaded.config));
}

int print_config(const Options& o) {
    const config::Loaded loaded = load_and_verify(o.config);
    print_text(loaded.problems);
    if (!loaded.ok()) return kInvalidConfig;
    std::cout << config::dump(loaded.config);
    return kOk;
}

int generate_keys(const Options& o) {
    for (int i = 0; i < o.count; ++i)
        std::cout << config::generate_key_value() << '\n';
    return kOk;
}

/// A dry run: says what would be imported, and every warning.
int import_keys(const Options& o) {
    const config::Loaded loaded = load_and_verify(o.config);
    if (!loaded.ok()) {
        print_text(loaded.problems);
        return kInvalidConfig;
    }
    std::ifstream file{o.csv, std::ios::binary};
    std::stringstream text;
    text << file.rdbuf();
    if (!file) {
        std::cerr << o.csv << ": cannot be read\n";
        return kFailed;
    }
    const config::KeyCsv parsed = config::parse_key_csv(text.str(), loaded.config.usage_plans);
    if (!parsed.error.empty()) {
        std::cerr << o.csv << ": " << parsed.error << '\n';
        return kInvalidConfig;
    }
    std::cout << config::import_report(parsed) << '\n';
    return kOk;
}

std::string read_token(const std::string& path) {
    if (path.empty()) return {};
    std::ifstream file{path};
    std::string token;
    std::getline(file, token);
    return token;
}

int ask_admin(const Options& o, const std::string& target, bool print_body) {
    const auto answer = admin::get(o.admin, target, {.token = read_token(o.token_file)});
    if (!answer) {
        std::cerr << o.admin << ": " << answer.error().detail << '\n';
        return kFailed;
    }
    if (answer->status == 200) {
        std::cout << (print_body ? answer->body : "ok\n");
        if (print_body && !answer->body.ends_with('\n')) std::cout << '\n';
        return kOk;
    }
    std::cerr << o.admin << target << ": status " << answer->status << ": " << answer->body << '\n';
    return kFailed;
}

int usage(const Options& o) {
    std::string target = "/usage";
    char separator = '?';
    const auto add = [&](std::string_view name, const std::string& value) {
        if (value.empty()) return;
        target += separator;
        target += std::string{name} + '=' + admin::percent_encode(value);
        separator = '&';
    };
    add("usagePlanId", o.plan);
    add("keyId", o.key);
    add("startDate", o.start_date);
    add("endDate", o.end_date);
    return ask_admin(o, target, true);
}

int version() {
    std::cout << "sluice " << SLUICE_VERSION << '\n';
    return kOk;
}

void add_config(CLI::App& command, Options& o) {
    command.add_option("-c,--config", o.config, "configuration file or directory")->required();
}

void add_admin(CLI::App& command, Options& o) {
    command.add_option("--admin", o.admin, "admin listener, http://host:port")
        ->capture_default_str();
    command.add_option("--token-file", o.token_file, "file that holds the admin token");
}

}  // namespace

int run_command(int argc, char** argv) {
    Options o;
    int code = kOk;
    CLI::App cli{"Sluice, a self-hosted API gateway", "sluice"};
    cli.require_subcommand(1);
    const auto command = [&](CLI::App& parent, const char* name, const char* text, auto action) {
        CLI::App* sub = parent.add_subcommand(name, text);
        sub->callback([&code, &o, action] { code = action(o); });
        return sub;
    };
    CLI::App* run_sub = command(cli, "run", "serve traffic", run);
    add_config(*run_sub, o);
    run_sub->add_flag("-t,--check", o.check, "only validate the configuration");
    CLI::App* validate_sub = command(cli, "validate", "report every problem", validate);
    add_config(*validate_sub, o);
    validate_sub->add_option("--format", o.format)->check(CLI::IsMember({"text", "json"}));
    add_config(
        *command(cli, "print-config", "effective configuration, secrets masked", print_config), o);
    command(cli, "schema", "JSON Schema of the configuration", [](const Options&) {
        std::cout << config::schema() << '\n';
        return int{kOk};
    });
    command(cli, "reference", "configuration reference in Markdown", [](const Options&) {
        std::cout << config::reference_markdown();
        return int{kOk};
    });
    CLI::App* keys = cli.add_subcommand("keys", "API keys");
    keys->require_subcommand(1);
    command(*keys, "generate", "print new random key values", generate_keys)
        ->add_option("--count", o.count)
        ->check(CLI::Range(1, 100'000));
    CLI::App* import = command(*keys, "import", "dry run of a CSV import", import_keys);
    import->add_option("file", o.csv, "CSV file in AWS's format")->required();
    add_config(*import, o);
    CLI::App* usage_sub =
        command(cli, "usage", "used and remaining requests by key and day", usage);
    add_admin(*usage_sub, o);
    usage_sub->add_option("--plan", o.plan, "usage plan id");
    usage_sub->add_option("--key", o.key, "API key id");
    usage_sub->add_option("--start", o.start_date, "first day, yyyy-mm-dd");
    usage_sub->add_option("--end", o.end_date, "last day, yyyy-mm-dd");
    add_admin(*command(cli, "healthcheck", "exit 0 when the gateway is ready",
                       [](const Options& options) { return ask_admin(options, "/readyz", false); }),
              o);
    command(cli, "version", "print the version", [](const Options&) { return version(); });
    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return cli.exit(e) == 0 ? kOk : kUsage;
    }
    return code;
}

}  // namespace sluice::app
