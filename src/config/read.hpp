// SPDX-License-Identifier: Apache-2.0
//
// One function per struct of the model: its keys, types, ranges and documentation, once.
#pragma once

#include "config/reader.hpp"
#include "sluice/config/model.hpp"

namespace sluice::config {

void read(Reader&, Config&);

// read_server.cpp
void read(Reader&, Certificate&);
void read(Reader&, ListenerTls&);
void read(Reader&, Listener&);
void read(Reader&, Admin&);
void read(Reader&, Throttle&);
void read(Reader&, Limits&);
void read(Reader&, Timeouts&);
void read(Reader&, Metrics&);
void read(Reader&, Log&);
void read(Reader&, Server&);
void read(Reader&, Redis&);
void read(Reader&, State&);

// read_apis.cpp
void read(Reader&, Integration&);
void read(Reader&, Method&);
void read(Reader&, Resource&);
void read(Reader&, RestApi&);

// read_stages.cpp
void read(Reader&, MethodSettings&);
void read(Reader&, AccessLog&);
void read(Reader&, Stage&);

// read_plans.cpp
struct SourceIpPrefix {
    int v4 = 32;
    int v6 = 64;
};
void read(Reader&, PlanStage&);
void read(Reader&, Quota&);
void read(Reader&, SourceIpPrefix&);
void read(Reader&, UsagePlan&);
void read(Reader&, ApiKey&);

// read_domains.cpp
void read(Reader&, BasePathMapping&);
void read(Reader&, DomainName&);
void read(Reader&, Target&);
void read(Reader&, BackendTls&);
void read(Reader&, Backend&);

inline bool is_id_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}
inline bool is_word_char(char c) { return is_id_char(c) || (c >= 'A' && c <= 'Z') || c == '_'; }
inline bool is_line_char(char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7F; }

inline constexpr Text kApiId{1, 64, is_id_char, "^[a-z0-9-]+$",
                             "lower-case letters, digits and \"-\""};
inline constexpr Text kWord{1, 128, is_word_char, "^[A-Za-z0-9_-]+$",
                            "letters, digits, \"-\" and \"_\""};
inline constexpr Text kTitle{0, 1024, is_line_char, "", "one line of text"};
inline constexpr Text kDescription{0, 1024, nullptr, "", ""};
inline constexpr Number kRate{0, 1e9, false};
inline constexpr Range kBurst{0, 1'000'000'000, false};

}  // namespace sluice::config
