// SPDX-License-Identifier: Apache-2.0
//   driver ORIGIN_PORT
// Serves as origin all the time and obeys commands on standard input, one per line, with one line
// of JSON as answer to each:
//   load port= connections= ms= warm_ms= requests=FILE [tls=1] [close=1] [resume=1] [rate=] [pids=]
//   idle port= connections= requests=FILE [tls=1]
//   drop
// `idle` opens connections that ask once each and stay; `drop` closes them.
#include "driver.h"

#include <strings.h>

int loop;
char buffer[kBuffer];
static struct watched commands = {kCommands, STDIN_FILENO};
static char line[8192];
static size_t line_size;

size_t head_end(const char* data, size_t size) {
    const char* end = memmem(data, size, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end - data) + 4;
}

int64_t body_size(const char* head, size_t size) {
    static const char length[] = "Content-Length:", coding[] = "Transfer-Encoding:";
    const char* end = head + size;
    for (const char* p = head; (p = memchr(p, '\n', (size_t)(end - p))) != NULL;) {
        const char first = (char)(*++p | 0x20);
        if (first == 't' && end - p > 18 && strncasecmp(p, coding, sizeof coding - 1) == 0)
            return -1;
        if (first == 'c' && end - p > 15 && strncasecmp(p, length, sizeof length - 1) == 0)
            return strtoll(p + sizeof length - 1, NULL, 10);
    }
    return 0;
}

static const char* option(const char* name) {
    static char value[4096];
    char key[64];
    snprintf(key, sizeof key, " %s=", name);
    const char* at = strstr(line, key);
    if (at == NULL) return "";
    at += strlen(key);
    const size_t n = strcspn(at, " \n");
    snprintf(value, sizeof value, "%.*s", (int)n, at);
    return value;
}

static struct load parse(void) {
    struct load l = {.port = atoi(option("port")),
                     .connections = atoi(option("connections")),
                     .tls = atoi(option("tls")),
                     .close = atoi(option("close")),
                     .resume = atoi(option("resume")),
                     .warm_ms = atoi(option("warm_ms")),
                     .ms = atoi(option("ms")),
                     .rate = atof(option("rate"))};
    snprintf(l.requests, sizeof l.requests, "%.511s", option("requests"));
    snprintf(l.pids, sizeof l.pids, "%.4095s", option("pids"));
    return l;
}

static void obey(void) {
    const struct load l = parse();
    if (strncmp(line, "load ", 5) == 0) {
        run_load(&l);
    } else if (strncmp(line, "idle ", 5) == 0) {
        open_idle(&l);
    } else if (strncmp(line, "drop", 4) == 0) {
        close_idle();
    } else {
        printf("{\"error\": \"unknown command\"}\n");
    }
    fflush(stdout);
}

// Commands come one at a time: the next one is sent when this one is answered.
static int read_command(void) {
    const ssize_t n = read(STDIN_FILENO, line + line_size, sizeof line - 1 - line_size);
    if (n <= 0) return 0;
    line_size += (size_t)n;
    line[line_size] = '\0';
    if (line[line_size - 1] != '\n') return 1;
    line_size = 0;
    obey();
    return 1;
}

void turn(int wait) {
    struct epoll_event events[kBatch];
    const int n = epoll_wait(loop, events, kBatch, wait ? -1 : 0);
    int commanded = 0;
    for (int i = 0; i < n; ++i) {
        struct watched* w = events[i].data.ptr;
        switch (w->kind) {
            case kCommands:
                commanded = 1;
                break;
            case kListener:
                origin_accept(w);
                break;
            case kOrigin:
                origin_event(w, events[i].events);
                break;
            case kClient:
                client_event(w, events[i].events);
                break;
        }
    }
    // Last, because a command turns this loop itself.
    if (commanded && wait && !read_command()) exit(0);
}

int main(int argc, char** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: driver ORIGIN_PORT\n");
        return 2;
    }
    loop = epoll_create1(EPOLL_CLOEXEC);
    origin_init(atoi(argv[1]));
    watch(loop, EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, &commands);
    for (;;)
        turn(1);
}
