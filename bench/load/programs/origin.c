// SPDX-License-Identifier: Apache-2.0
// The origin: answers /128, /1k, /10k and /1m (and whatever follows in the path) with bodies of
// that size; swallows the bodies of requests.
#include <errno.h>

#include "driver.h"

struct origin {
    struct watched watched;
    size_t held;       // bytes of an incomplete head in `head`
    uint64_t to_skip;  // of a request body
    const char* out;   // what the peer did not take yet
    size_t out_size;
    int answering;  // a body is being skipped, then `next` is the answer
    int next;
    char head[kHead];
};

struct answer {
    const char* path;
    size_t body;
    char* text;
    size_t size;
};

static struct answer answers[] = {
    {"/1k", 1024, NULL, 0},
    {"/10k", 10240, NULL, 0},
    {"/1m", 1 << 20, NULL, 0},
    {"/128", 128, NULL, 0},  // also for every other path
};
enum { kAnswers = sizeof answers / sizeof *answers };

static struct watched listener = {kListener, -1};
uint64_t origin_requests;

void origin_init(int port) {
    for (struct answer* a = answers; a != answers + kAnswers; ++a) {
        a->text = malloc(a->body + 256);
        const int head = sprintf(a->text,
                                 "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                                 "Cache-Control: max-age=3600\r\nContent-Length: %zu\r\n\r\n",
                                 a->body);
        memset(a->text + head, 'x', a->body);
        a->size = (size_t)head + a->body;
    }
    listener.fd = listen_on(port);
    watch(loop, EPOLL_CTL_ADD, listener.fd, EPOLLIN, &listener);
}

void origin_accept(struct watched* l) {
    for (int fd; (fd = accept_from(l->fd)) >= 0;) {
        struct origin* o = calloc(1, sizeof *o);
        o->watched = (struct watched){kOrigin, fd};
        watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, o);
    }
}

static void drop(struct origin* o) {
    close(o->watched.fd);
    free(o);
}

static int answer_for(const char* head, size_t size) {
    const char* path = memchr(head, ' ', size);
    if (path == NULL) return kAnswers - 1;
    for (int i = 0; i < kAnswers - 1; ++i) {
        const size_t n = strlen(answers[i].path);
        if (strncmp(path + 1, answers[i].path, n) == 0 && strchr(" /?", path[1 + n]) != NULL)
            return i;
    }
    return kAnswers - 1;
}

// Sends what there is to send; false when the connection is gone.
static int send_out(struct origin* o, int was_waiting) {
    const ssize_t n = send(o->watched.fd, o->out, o->out_size, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return 0;
    if (n > 0) {
        o->out += n;
        o->out_size -= (size_t)n;
    }
    const int waiting = o->out_size != 0;
    if (waiting != was_waiting)
        watch(loop, EPOLL_CTL_MOD, o->watched.fd, waiting ? EPOLLOUT : EPOLLIN, o);
    return 1;
}

static int answer(struct origin* o) {
    ++origin_requests;
    o->answering = 0;
    o->out = answers[o->next].text;
    o->out_size = answers[o->next].size;
    return send_out(o, 0);
}

// One request at a time: gateways do not pipeline. False when the connection is to be closed.
static int on_bytes(struct origin* o, const char* data, size_t size) {
    if (o->held != 0) {
        if (size > kHead - 1 - o->held) return 0;
        memcpy(o->head + o->held, data, size);
        o->held += size;
        data = o->head;
        size = o->held;
    }
    const size_t end = head_end(data, size);
    if (end == 0) {
        if (size >= kHead) return 0;
        if (o->held == 0) memcpy(o->head, data, size);
        o->held = size;
        return 1;
    }
    const int64_t body = body_size(data, end);
    if (body < 0) return 0;
    o->next = answer_for(data, end);
    o->held = 0;
    const uint64_t here = size - end;
    if (here > (uint64_t)body) return 0;
    o->to_skip = (uint64_t)body - here;
    o->answering = 1;
    return o->to_skip != 0 || answer(o);
}

void origin_event(struct watched* w, uint32_t events) {
    struct origin* o = (struct origin*)w;
    if (o->out_size != 0) {
        if (!send_out(o, 1) || (events & (EPOLLERR | EPOLLHUP)) != 0) drop(o);
        return;
    }
    // A body is counted, not looked at: MSG_TRUNC leaves it in the kernel.
    const ssize_t n =
        o->answering ? recv(w->fd, buffer, o->to_skip < kBuffer ? o->to_skip : kBuffer, MSG_TRUNC)
                     : recv(w->fd, buffer, sizeof buffer - 1, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        drop(o);
        return;
    }
    int alive;
    if (o->answering) {
        o->to_skip -= (uint64_t)n;
        alive = o->to_skip != 0 || answer(o);
    } else {
        buffer[n] = '\0';
        alive = on_bytes(o, buffer, (size_t)n);
    }
    if (!alive) drop(o);
}
