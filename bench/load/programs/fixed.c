// SPDX-License-Identifier: Apache-2.0
// The floor of answering: one recv, one send of a constant. What a gateway costs above this when
// it refuses a request or answers from its cache is its own work.
//   fixed PORT STATUS BODY_BYTES
#include <errno.h>

#include "sockets.h"

enum { kBuffer = 64 * 1024, kBatch = 512 };

static char answer[kBuffer];
static size_t answer_size;

static void make_answer(const char* status, int body) {
    const int head = snprintf(answer, sizeof answer,
                              "HTTP/1.1 %s Fixed\r\nContent-Type: application/json\r\n"
                              "Content-Length: %d\r\n\r\n",
                              status, body);
    if (head + body > kBuffer) fail("body");
    memset(answer + head, 'x', (size_t)body);
    answer_size = (size_t)(head + body);
}

static void serve(int fd) {
    char buffer[kBuffer];
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    // The load of this benchmark sends one whole request at a time.
    if (n < 4 || memcmp(buffer + n - 4, "\r\n\r\n", 4) != 0 ||
        send(fd, answer, answer_size, MSG_NOSIGNAL) != (ssize_t)answer_size)
        close(fd);
}

int main(int argc, char** argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: fixed PORT STATUS BODY_BYTES\n");
        return 2;
    }
    make_answer(argv[2], atoi(argv[3]));
    const int loop = epoll_create1(EPOLL_CLOEXEC);
    const int listener = listen_on(atoi(argv[1]));
    struct epoll_event watched = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &watched);
    for (;;) {
        struct epoll_event events[kBatch];
        const int n = epoll_wait(loop, events, kBatch, -1);
        for (int i = 0; i < n; ++i) {
            if (events[i].data.fd != listener) {
                serve(events[i].data.fd);
                continue;
            }
            for (int fd; (fd = accept_from(listener)) >= 0;) {
                watched.data.fd = fd;
                epoll_ctl(loop, EPOLL_CTL_ADD, fd, &watched);
            }
        }
    }
}
