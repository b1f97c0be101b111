// SPDX-License-Identifier: Apache-2.0
// floor: http
//
// A normalised path shows nothing bad however often it is decoded, normalising it again changes
// nothing, and what was refused for a reason really has it.
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/check.hpp"
#include "fuzz/naive_target.hpp"
#include "sluice/http/target.hpp"

namespace {

using namespace sluice::http;
using sluice::config::Compatibility;
using sluice::fuzz::look_at_every_depth;
using sluice::fuzz::Seen;

void check_accepted(std::string_view sent, const NormalTarget& result, Compatibility how) {
    const bool standard = how == Compatibility::standard;
    FUZZ_CHECK(result.path.starts_with('/') || sent == "*");
    const std::string_view sent_path = sent.substr(0, sent.find('?'));
    const Seen seen = look_at_every_depth(sent_path, standard);
    FUZZ_CHECK(!seen.dot_segment && !seen.control && !seen.backslash);
    const Seen after = look_at_every_depth(result.path, standard);
    FUZZ_CHECK(!after.dot_segment && !after.control && !after.backslash);
    FUZZ_CHECK(!standard || result.path.find("//") == result.path.npos);
    FUZZ_CHECK(standard || result.path.data() == sent.data());
    FUZZ_CHECK(result.path != sent_path || result.path.data() == sent.data());
    FUZZ_CHECK(result.has_query == (sent.find('?') != sent.npos));

    std::string written{result.path};
    if (result.has_query) (written += '?') += result.query;
    std::string scratch;
    const NormalTarget again = normalise(written, how, scratch);
    FUZZ_CHECK(again.ok);
    FUZZ_CHECK(again.path == result.path && again.query == result.query);
    FUZZ_CHECK(again.path.data() == written.data());
}

void check_refused(std::string_view sent, const NormalTarget& result, Compatibility how) {
    FUZZ_CHECK(!result.reason.empty());
    const Seen seen =
        look_at_every_depth(sent.substr(0, sent.find('?')), how == Compatibility::standard);
    if (result.reason == "dot_segment") FUZZ_CHECK(seen.dot_segment);
    if (result.reason == "encoded_backslash") FUZZ_CHECK(seen.backslash);
    if (result.reason == "encoded_control" || result.reason == "encoded_nul") {
        FUZZ_CHECK(seen.control);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 1024) return 0;
    const std::string sent{reinterpret_cast<const char*>(data), size};
    for (const Compatibility how : {Compatibility::standard, Compatibility::aws}) {
        std::string scratch;
        const NormalTarget result = normalise(sent, how, scratch);
        if (result.ok) {
            check_accepted(sent, result, how);
        } else {
            check_refused(sent, result, how);
        }
    }
    return 0;
}
