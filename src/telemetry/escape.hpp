// SPDX-License-Identifier: Apache-2.0
//
// Text from requests made harmless for one line of a log. Whatever the input, the output has no
// control character and nothing that could end the field it stands in.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace sluice::telemetry {

/// Bytes that may be copied as they are; one per format and, for plain text, per delimiter.
struct CleanBytes {
    std::array<bool, 256> table{};
    /// The printable ASCII characters that are not clean, repeated to fill the array.
    std::array<unsigned char, 6> dirty{};
};

extern const CleanBytes kCleanJson;
extern const CleanBytes kCleanXml;
extern const CleanBytes kCleanCsv;

/// Plain text: quote, backslash, control and non-ASCII bytes are dirty (as in nginx), and so is
/// each character of `delimiters` (two at most are used).
CleanBytes clean_plain(std::string_view delimiters);

bool is_clean(std::string_view, const CleanBytes&);

/// The inside of a JSON string. A byte that is not UTF-8 becomes \u00XX.
void append_json(std::string& out, std::string_view text);
/// Attribute values and element content. What XML cannot hold becomes U+FFFD.
void append_xml(std::string& out, std::string_view text);
/// Every byte that is not clean as \xHH.
void append_plain(std::string& out, std::string_view text, const CleanBytes&);
/// For people to read: only control characters and what is not UTF-8 become \xHH.
void append_text(std::string& out, std::string_view text);
/// One field by RFC 4180, except that control characters are \xHH: a record is one line.
/// `quoted`: the format has the quotes already.
void append_csv(std::string& out, std::string_view text, bool quoted);

}  // namespace sluice::telemetry
