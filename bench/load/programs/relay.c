// SPDX-License-Identifier: Apache-2.0
// The floor of proxying: a byte relay that looks at nothing. One upstream connection per client,
// one epoll instance, recv and send. What a gateway costs above this is its own work.
//   relay PORT UPSTREAM_PORT
#include <errno.h>

#include "sockets.h"

enum { kBuffer = 256 * 1024, kBatch = 512 };

struct end {
    int fd;
    struct end* peer;
    char* kept;  // what this end did not take yet; its peer is not read meanwhile
    size_t kept_size;
    int dead;
};

static int loop;
static char buffer[kBuffer];
static struct end* graveyard[2 * kBatch];
static int graves;

static void bury(struct end* e) {
    if (e->dead) return;
    e->dead = 1;
    close(e->fd);
    free(e->kept);
    e->kept = NULL;
    graveyard[graves++] = e;
}

static void close_both(struct end* e) {
    bury(e->peer);
    bury(e);
}

static void keep(struct end* e, const char* data, size_t size) {
    e->kept = malloc(size);
    memcpy(e->kept, data, size);
    e->kept_size = size;
    watch(loop, EPOLL_CTL_MOD, e->fd, EPOLLOUT, e);
    watch(loop, EPOLL_CTL_MOD, e->peer->fd, 0, e->peer);
}

static void on_readable(struct end* e) {
    const ssize_t n = recv(e->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return close_both(e);
    ssize_t sent = send(e->peer->fd, buffer, (size_t)n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return close_both(e);
    if (sent < 0) sent = 0;
    if (sent < n) keep(e->peer, buffer + sent, (size_t)(n - sent));
}

static void on_writable(struct end* e) {
    const ssize_t sent = send(e->fd, e->kept, e->kept_size, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) close_both(e);
        return;
    }
    e->kept_size -= (size_t)sent;
    memmove(e->kept, e->kept + sent, e->kept_size);
    if (e->kept_size != 0) return;
    free(e->kept);
    e->kept = NULL;
    watch(loop, EPOLL_CTL_MOD, e->fd, EPOLLIN, e);
    watch(loop, EPOLL_CTL_MOD, e->peer->fd, EPOLLIN, e->peer);
}

static struct end* add(int fd) {
    struct end* e = calloc(1, sizeof *e);
    e->fd = fd;
    return e;
}

static void on_client(int fd, int upstream_port) {
    const int upstream = connect_to(upstream_port);
    if (upstream < 0) {
        close(fd);
        return;
    }
    struct end* a = add(fd);
    struct end* b = add(upstream);
    a->peer = b;
    b->peer = a;
    watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, a);
    watch(loop, EPOLL_CTL_ADD, upstream, EPOLLIN, b);
}

int main(int argc, char** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: relay PORT UPSTREAM_PORT\n");
        return 2;
    }
    loop = epoll_create1(EPOLL_CLOEXEC);
    const int listener = listen_on(atoi(argv[1]));
    watch(loop, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    for (;;) {
        struct epoll_event events[kBatch];
        const int n = epoll_wait(loop, events, kBatch, -1);
        for (int i = 0; i < n; ++i) {
            struct end* e = events[i].data.ptr;
            if (e == NULL) {
                for (int fd; (fd = accept_from(listener)) >= 0;)
                    on_client(fd, atoi(argv[2]));
            } else if (!e->dead && e->kept != NULL) {
                on_writable(e);
            } else if (!e->dead) {
                on_readable(e);
            }
        }
        while (graves > 0)
            free(graveyard[--graves]);
    }
}
