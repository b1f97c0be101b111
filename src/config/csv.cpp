// SPDX-License-Identifier: Apache-2.0
#include "config/csv.hpp"

#include <algorithm>

#include "config/text.hpp"

namespace sluice::config {
namespace {

constexpr std::size_t kMaxCells = 1000;

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Csv parse() {
        while (!text_.empty() && csv_.error.empty())
            read_row();
        if (!csv_.error.empty()) csv_.rows.clear();
        return std::move(csv_);
    }

private:
    void read_row() {
        CsvRow row;
        row.line = line_;
        do {
            row.cells.push_back(read_cell());
            if (row.cells.size() > kMaxCells) fail("too many cells");
        } while (csv_.error.empty() && take(','));
        end_line();
        csv_.rows.push_back(std::move(row));
    }

    CsvCell read_cell() {
        skip_blanks();
        if (take('"')) return read_double_quoted();
        if (text_.starts_with('\'')) {
            const auto end = closing_single_quote();
            if (end != std::string_view::npos) {
                const std::string_view inside = text_.substr(1, end - 1);
                text_.remove_prefix(end + 1);
                skip_blanks();
                return {std::string(trimmed(inside))};
            }
        }
        const auto end = std::min(text_.find_first_of(",\n"), text_.size());
        CsvCell cell{std::string(trimmed(text_.substr(0, end)))};
        text_.remove_prefix(end);
        return cell;
    }

    CsvCell read_double_quoted() {
        const int start = line_;
        std::string cell;
        while (true) {
            const auto quote = text_.find('"');
            if (quote == std::string_view::npos) {
                line_ = start;
                fail("a quoted cell is not closed");
                return {};
            }
            line_ += static_cast<int>(std::count(
                text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
            cell += text_.substr(0, quote);
            text_.remove_prefix(quote + 1);
            if (!take('"')) break;
            cell += '"';
        }
        skip_blanks();
        if (!text_.empty() && text_[0] != ',' && text_[0] != '\n') {
            fail("text behind a closing quote");
        }
        return {std::string(trimmed(cell))};
    }

    /// Position of a quote that ends the cell, on this line.
    std::size_t closing_single_quote() const {
        const std::string_view line = text_.substr(0, text_.find('\n'));
        for (auto end = line.find('\'', 1); end != std::string_view::npos;
             end = line.find('\'', end + 1)) {
            const auto next = line.find_first_not_of(" \t\r", end + 1);
            if (next == std::string_view::npos || line[next] == ',') return end;
        }
        return std::string_view::npos;
    }

    void skip_blanks() {
        text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r"), text_.size()));
    }

    bool take(char c) {
        if (!text_.starts_with(c)) return false;
        text_.remove_prefix(1);
        return true;
    }

    void end_line() {
        if (take('\n')) ++line_;
    }

    void fail(const std::string& message) {
        if (csv_.error.empty()) csv_.error = "line " + std::to_string(line_) + ": " + message;
    }

    std::string_view text_;
    Csv csv_{};
    int line_ = 1;
};

}  // namespace

Csv parse_csv(std::string_view text) { return Parser(text).parse(); }

}  // namespace sluice::config
