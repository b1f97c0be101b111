// SPDX-License-Identifier: Apache-2.0
#include "telemetry/execution_lines.hpp"

#include <algorithm>
#include <ctime>

#include "telemetry/escape.hpp"

namespace sluice::telemetry {
namespace {

constexpr std::size_t kMostAsterisks = 122;  // with the six of a key of the longest length
constexpr std::size_t kShown = 6;
/// Text beyond this is never shown, however little escaping makes of it.
constexpr std::size_t kMostRead = kLongestExecutionText + 4;

/// ISO 8601 in UTC, with milliseconds and a blank.
void append_time(std::string& out, WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t t = seconds.time_since_epoch().count();
    std::tm parts{};
    ::gmtime_r(&t, &parts);
    char text[40];
    const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    const auto millis = static_cast<int>((time - seconds).count());
    out.append(text, size);
    const char fraction[] = {'.',
                             static_cast<char>('0' + millis / 100),
                             static_cast<char>('0' + millis / 10 % 10),
                             static_cast<char>('0' + millis % 10),
                             'Z',
                             ' '};
    out.append(fraction, sizeof fraction);
}

/// The longest prefix of at most `most` bytes that splits neither a character nor an escape.
std::size_t cut(std::string_view text, std::size_t most) {
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
        --end;
    for (std::size_t back = 1; back <= 3 && back <= end; ++back) {
        if (text[end - back] != '\\') continue;
        if (end - back + 1 < text.size() && text[end - back + 1] == 'x') return end - back;
    }
    return end;
}

}  // namespace

std::string masked(std::string_view secret) {
    if (secret.size() <= kShown) return std::string(secret.size(), '*');
    std::string out(std::min(secret.size() - kShown, kMostAsterisks), '*');
    return out.append(secret.substr(secret.size() - kShown));
}

void MapText::add(std::string_view name, std::string_view value) {
    if (is_full()) return;
    if (text_.size() > 1) text_ += ", ";
    text_.append(name.substr(0, kMostRead)).append("=").append(value.substr(0, kMostRead));
}

std::string_view MapText::view() {
    if (!closed_) text_ += '}';
    closed_ = true;
    return text_;
}

void ExecutionLines::map(std::string_view label, std::string_view map) {
    begin();
    part(label);
    text_from_ = out_.size();  // the limit is that of the map alone
    part(map);
    end(kLongestExecutionMap);
}

void ExecutionLines::begin() {
    if (timestamps_) append_time(out_, time_);
    out_.append("(").append(request_id_).append(") ");
    text_from_ = out_.size();
}

void ExecutionLines::part(std::string_view text) {
    if (out_.size() - text_from_ > kMostRead) return;
    text = text.substr(0, kMostRead);
    if (is_clean(text, kCleanJson))
        out_ += text;  // nearly always, and much faster
    else
        append_text(out_, text);
}

void ExecutionLines::part(std::int64_t number) { out_ += std::to_string(number); }

void ExecutionLines::end(std::size_t longest) {
    const std::string_view text = std::string_view{out_}.substr(text_from_);
    if (text.size() > longest) {
        out_.resize(text_from_ + cut(text, longest));
        out_ += kTruncated;
    }
    out_ += '\n';
}

}  // namespace sluice::telemetry
