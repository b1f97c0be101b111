// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "sluice/telemetry/access_log.hpp"
#include "telemetry/access_log_template.hpp"
#include "telemetry/access_log_variables.hpp"
#include "telemetry/clf_time.hpp"
#include "telemetry/escape.hpp"
#include "telemetry/execution_lines.hpp"
#include "telemetry/line_buffer.hpp"

namespace sluice::telemetry {
namespace {

std::string_view first_label(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
    return host.substr(0, host.find_first_of(".:"));
}

/// Text that is made up for the line.
std::string_view made_text(Variable variable, const AccessRecord& r) {
    switch (variable) {
        case Variable::domain_prefix:
            return first_label(r.domain_name);
        case Variable::error_message_string:
            return r.error_message;
        default:
            return {};
    }
}

std::optional<std::int64_t> number_of(Variable variable, const AccessRecord& r) {
    switch (variable) {
        case Variable::request_time_epoch:
            return r.request_time.time_since_epoch().count();
        case Variable::status:
            if (r.status == 0) return std::nullopt;
            return r.status;
        case Variable::response_length:
            return static_cast<std::int64_t>(r.response_length);
        case Variable::response_latency:
            return r.response_latency.count();
        case Variable::integration_status:
            return r.integration_status;
        case Variable::integration_latency:
            if (!r.integration_latency) return std::nullopt;
            return r.integration_latency->count();
        default:
            return std::nullopt;
    }
}

class CompiledFormat final : public AccessLogFormat {
public:
    explicit CompiledFormat(Template compiled) : template_(std::move(compiled)) {
        shows_api_key_id_ = shows(Variable::api_key_id);
        shows_trace_id_ = shows(Variable::trace_id);
    }

    void append(const AccessRecord& record, std::string& out) const override {
        LineBuffer line(out);
        for (const Step& step : template_.steps) {
            line.literal(template_.literals.data() + step.literal_at, step.literal_size);
            value(line, step, record);
        }
        line.literal(template_.literals.data() + template_.tail_at, template_.tail_size);
    }

private:
    bool shows(Variable v) const {
        return std::ranges::find(template_.steps, v, &Step::variable) != template_.steps.end();
    }

    void value(LineBuffer& line, const Step& step, const AccessRecord& record) const {
        if (step.text != nullptr) return text(line, step, record.*step.text);
        if (is_number(step.variable)) {
            const auto number = number_of(step.variable, record);
            return number ? line.number(*number) : missing(line, step);
        }
        if (step.variable == Variable::request_time) return time(line, step, record.request_time);
        if (step.variable == Variable::masked_api_key && !record.api_key.empty()) {
            return put(line, step, masked(record.api_key));
        }
        const std::string_view made = made_text(step.variable, record);
        made.empty() ? missing(line, step) : put(line, step, made);
    }

    static void text(LineBuffer& line, const Step& step, std::string_view text) {
        if (text.empty()) return missing(line, step);
        if (step.place == Place::json_bare || !line.word(text)) put(line, step, text);
    }

    static void put(LineBuffer& line, const Step& step, std::string_view text) {
        if (step.place == Place::json_bare) {
            quoted(line, text);
        } else if (step.variable == Variable::error_message_string) {
            message_string(line, step, text);
        } else if (is_clean(text, *step.clean)) {
            line.text(text);
        } else {
            escaped(line.spilled(), step, text);
        }
    }

    static void missing(LineBuffer& line, const Step& step) {
        step.place == Place::json_bare ? line.text("null") : line.text("-");
    }

    static void time(LineBuffer& line, const Step& step, WallTime at) {
        const bool quotes = step.place == Place::json_bare;
        if (quotes) line.text("\"");
        line.text(clf_time(at));
        if (quotes) line.text("\"");
    }

    static void quoted(LineBuffer& line, std::string_view text) {
        std::string& out = line.spilled();
        out += '"';
        append_json(out, text);
        out += '"';
    }

    /// The value is the message as a JSON string; inside the quotes of another format that string
    /// is escaped like any other text.
    static void message_string(LineBuffer& line, const Step& step, std::string_view text) {
        if (step.place == Place::plain) return quoted(line, text);
        std::string message = "\"";
        append_json(message, text);
        message += '"';
        escaped(line.spilled(), step, message);
    }

    static void escaped(std::string& out, const Step& step, std::string_view text) {
        switch (step.place) {
            case Place::plain:
            case Place::plain_quoted:
                return append_plain(out, text, *step.clean);
            case Place::json_bare:
            case Place::json_string:
                return append_json(out, text);
            case Place::xml:
                return append_xml(out, text);
            case Place::csv_bare:
                return append_csv(out, text, false);
            case Place::csv_quoted:
                return append_csv(out, text, true);
        }
    }

    Template template_;
};

}  // namespace

std::shared_ptr<const AccessLogFormat> AccessLogFormat::compile(std::string_view text,
                                                                std::string& error) {
    auto compiled = compile_template(text, error);
    if (!compiled) return nullptr;
    return std::make_shared<const CompiledFormat>(std::move(*compiled));
}

}  // namespace sluice::telemetry
