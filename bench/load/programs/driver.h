// SPDX-License-Identifier: Apache-2.0
// The two ends of the benchmark in one thread: an origin and a load generator. One spinning
// process, because two of them on one CPU would wait for each other's time slices, and because a
// load that sleeps makes every send() of the gateway pay for waking another CPU.
#pragma once

#include <openssl/ssl.h>

#include "sockets.h"

enum { kHead = 4096, kBuffer = 256 * 1024, kBatch = 512 };

enum kind { kCommands, kListener, kOrigin, kClient };

// What epoll points to: the first member of every watched thing.
struct watched {
    enum kind kind;
    int fd;
};

extern int loop;              // the one epoll instance
extern char buffer[kBuffer];  // what was just read
extern uint64_t origin_requests;

void origin_init(int port);
void origin_accept(struct watched* listener);
void origin_event(struct watched* w, uint32_t events);

// Where the head that starts at `data` ends, or 0 when it is not complete.
size_t head_end(const char* data, size_t size);

// The value of Content-Length, 0 without one, -1 where a transfer coding stands instead.
int64_t body_size(const char* head, size_t size);

struct load {
    int port;
    int connections;
    int tls;             // TLS 1.3
    int close;           // a new connection for every request
    int resume;          // with `close`: resume the TLS session
    int warm_ms;         // not counted
    int ms;              // counted
    double rate;         // open loop: requests per second; 0 = each connection asks again at once
    char requests[512];  // file of length-prefixed requests
    char pids[4096];     // whose CPU time is counted, comma-separated
};

void run_load(const struct load* l);
void open_idle(const struct load* l);
void close_idle(void);
void client_event(struct watched* w, uint32_t events);

// Handles what is ready; waits for it when `wait` is not 0.
void turn(int wait);

struct cpu {
    uint64_t used_ns;     // exact, of all threads, the dead ones included
    uint64_t waited_ns;   // ready to run, but something else ran: the sign of a disturbed machine
    uint64_t user_ticks;  // of 1/100 s
    uint64_t system_ticks;
};

struct cpu cpu_of(const char* pids);
