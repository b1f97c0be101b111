// SPDX-License-Identifier: Apache-2.0
// What one run counts. Latencies fall into buckets 1/64 of their size wide.
#pragma once

#include "driver.h"

enum { kBuckets = 64 * 60 };

struct statistics {
    uint64_t done;
    uint64_t status[6];  // by first digit
    uint64_t throttled;  // 429
    uint64_t errors;
    uint64_t reconnects;
    uint64_t latency[kBuckets];
};

static inline void count_status(struct statistics* s, const char* code) {
    ++s->status[code[0] >= '1' && code[0] <= '5' ? code[0] - '0' : 0];
    s->throttled += memcmp(code, "429", 3) == 0;
}

static inline void count_latency(struct statistics* s, uint64_t ns) {
    const int shift = ns < 64 ? 0 : 57 - __builtin_clzll(ns);
    ++s->done;
    ++s->latency[(uint64_t)shift * 64 + (ns >> shift)];
}

static inline double quantile_us(const struct statistics* s, double q) {
    const uint64_t rank = (uint64_t)((double)s->done * q);
    uint64_t seen = 0;
    for (int i = 0; i < kBuckets; ++i) {
        seen += s->latency[i];
        if (seen <= rank) continue;
        const int shift = i < 64 ? 0 : i / 64 - 1;
        return ((double)(i - shift * 64) + 0.5) * (double)(1ull << shift) / 1e3;
    }
    return 0;
}

static inline void print_statistics(const struct statistics* s, uint64_t wall_ns, uint64_t origin,
                                    const struct cpu* before, const struct cpu* after) {
    typedef unsigned long long u;
    printf(
        "{\"done\": %llu, \"wall_ns\": %llu, \"cpu_ns\": %llu, \"waited_ns\": %llu, "
        "\"user_ticks\": %llu, \"system_ticks\": %llu, \"origin\": %llu, ",
        (u)s->done, (u)wall_ns, (u)(after->used_ns - before->used_ns),
        (u)(after->waited_ns - before->waited_ns), (u)(after->user_ticks - before->user_ticks),
        (u)(after->system_ticks - before->system_ticks), (u)origin);
    printf(
        "\"ok\": %llu, \"throttled\": %llu, \"other\": %llu, \"errors\": %llu, "
        "\"reconnects\": %llu, \"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f}\n",
        (u)s->status[2], (u)s->throttled,
        (u)(s->status[0] + s->status[1] + s->status[3] + s->status[4] + s->status[5] -
            s->throttled),
        (u)s->errors, (u)s->reconnects, quantile_us(s, 0.5), quantile_us(s, 0.99),
        quantile_us(s, 0.999));
}
