// SPDX-License-Identifier: Apache-2.0
#include "http/head_lines.hpp"

namespace sluice::http::strict {
namespace {

const Fault* fault_at_start(const Cursor& in, bool too_many) {
    if (in.at == in.end) return &kMore;
    if (*in.at == '\r') return fault_at_end(in, in.at, kBadName);
    if (too_many) return &kTooManyFields;
    if (is_blank(*in.at)) return &kFold;
    if (*in.at == '\n') return &kBareLf;
    return *in.at == ':' ? &kEmptyName : &kBadName;
}

}  // namespace

const Fault* fault_at_end(const Cursor& in, const char* stop, const Fault& other) {
    if (stop == in.end) return &kMore;
    if (*stop == '\n') return &kBareLf;
    if (*stop != '\r') return &other;
    return stop + 1 == in.end ? &kMore : &kBareCr;
}

const Fault* fault_in_name(const Cursor& in, const char* stop, bool too_many) {
    if (stop == in.at) return fault_at_start(in, too_many);
    if (too_many) return &kTooManyFields;
    if (stop == in.end) return &kMore;
    if (*stop == '\n') return &kBareLf;
    if (*stop == '\r') return &kNoColon;
    return is_blank(*stop) ? &kSpaceInName : &kBadName;
}

}  // namespace sluice::http::strict
