// SPDX-License-Identifier: Apache-2.0
// The load generator: N connections, each asks again when it is answered (closed loop) or when the
// clock says so (open loop; latency counts from the moment the request was due).
#include <errno.h>

#include "driver.h"
#include "statistics.h"

struct client {
    struct watched watched;
    SSL* ssl;
    SSL_SESSION* session;
    uint64_t asked;
    const char* out;
    size_t out_size;
    uint64_t body_left;
    size_t held;  // bytes of an incomplete head in `head`
    int in_body;
    int busy;
    int watches_output;
    int used;  // was answered on this connection already
    char head[kHead];
};

struct request {
    char* text;
    size_t size;
    char* number;  // ten '#' to be replaced by a count, or NULL
};

static const struct load* now_running;
static struct client* clients;
static struct client** idle;  // open loop: who can be asked to ask
static int idle_count;
static int in_flight;
static int stopping;
static struct request* requests;
static int request_count;
static int next_request;
static uint64_t next_number;
static char* request_file;
static SSL_CTX* tls;
static struct statistics stats;

static void read_requests(const char* path) {
    free(request_file);
    free(requests);
    request_file = NULL;
    requests = NULL;
    request_count = 0;
    next_request = 0;
    FILE* file = fopen(path, "rb");
    if (file == NULL) fail(path);
    fseek(file, 0, SEEK_END);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    request_file = malloc(size);
    if (fread(request_file, 1, size, file) != size) fail(path);
    fclose(file);
    requests = malloc((size / 8 + 1) * sizeof *requests);
    for (size_t at = 0; at + 4 <= size;) {
        uint32_t n;
        memcpy(&n, request_file + at, 4);
        struct request* r = &requests[request_count++];
        r->text = request_file + at + 4;
        r->size = n;
        r->number = memmem(r->text, n, "##########", 10);
        at += 4 + n;
    }
}

static int new_session(SSL* ssl, SSL_SESSION* session) {
    struct client* c = SSL_get_app_data(ssl);
    SSL_SESSION_free(c->session);
    c->session = session;
    return 1;
}

static void make_tls(void) {
    if (tls != NULL) return;
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
    SSL_CTX_set1_groups_list(tls, "P-256");
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(tls, new_session);
}

static void disconnect(struct client* c) {
    if (c->ssl != NULL) {
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
        c->ssl = NULL;
    }
    if (c->watched.fd >= 0) close(c->watched.fd);
    c->watched.fd = -1;
}

static void reconnect(struct client* c) {
    c->watched = (struct watched){kClient, connect_to(now_running->port)};
    if (c->watched.fd < 0) fail("connect to the gateway");
    c->used = c->in_body = c->watches_output = 0;
    c->held = 0;
    if (now_running->tls) {
        c->ssl = SSL_new(tls);
        SSL_set_app_data(c->ssl, c);
        SSL_set_fd(c->ssl, c->watched.fd);
        SSL_set_connect_state(c->ssl);
        if (now_running->resume && c->session != NULL) SSL_set_session(c->ssl, c->session);
    }
    watch(loop, EPOLL_CTL_ADD, c->watched.fd, EPOLLIN, c);
}

// Both return the bytes moved, 0 when the peer is to be waited for, -1 when it is gone.
static ssize_t tls_result(struct client* c, int n, int* wants_output) {
    if (n > 0) return n;
    const int error = SSL_get_error(c->ssl, n);
    *wants_output = error == SSL_ERROR_WANT_WRITE;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static ssize_t put(struct client* c, int* wants_output) {
    if (c->ssl != NULL)
        return tls_result(c, SSL_write(c->ssl, c->out, (int)c->out_size), wants_output);
    const ssize_t n = send(c->watched.fd, c->out, c->out_size, MSG_NOSIGNAL);
    *wants_output = n < (ssize_t)c->out_size;
    return n < 0 && errno == EAGAIN ? 0 : n;
}

static ssize_t get(struct client* c) {
    int unused;
    if (c->ssl != NULL) return tls_result(c, SSL_read(c->ssl, buffer, kBuffer), &unused);
    // A body is counted, not looked at: MSG_TRUNC leaves it in the kernel.
    const int flags = c->in_body ? MSG_TRUNC : 0;
    const size_t most = c->in_body && c->body_left < kBuffer ? c->body_left : kBuffer;
    const ssize_t n = recv(c->watched.fd, buffer, most, flags);
    if (n < 0) return errno == EAGAIN ? 0 : -1;
    return n == 0 ? -1 : n;
}

static int send_request(struct client* c) {
    int wants_output = 0;
    const ssize_t n = put(c, &wants_output);
    if (n < 0) return 0;
    c->out += n;
    c->out_size -= (size_t)n;
    if (wants_output != c->watches_output) {
        watch(loop, EPOLL_CTL_MOD, c->watched.fd, EPOLLIN | (wants_output ? EPOLLOUT : 0u), c);
        c->watches_output = wants_output;
    }
    return 1;
}

static void load_request(struct client* c) {
    struct request* r = &requests[next_request];
    next_request = next_request + 1 == request_count ? 0 : next_request + 1;
    if (r->number != NULL) {
        uint64_t rest = next_number++;
        for (int i = 9; i >= 0; --i, rest /= 10)
            r->number[i] = (char)('0' + rest % 10);
    }
    c->out = r->text;
    c->out_size = r->size;
}

// `due` is when the request should have been sent.
static void ask(struct client* c, uint64_t due) {
    c->asked = due;
    c->busy = 1;
    ++in_flight;
    for (int attempt = 0; attempt < 3; ++attempt) {
        if (c->watched.fd < 0) reconnect(c);
        load_request(c);
        if (send_request(c)) return;
        disconnect(c);
        ++stats.reconnects;
    }
    fail("the gateway takes no request");
}

static void finished(struct client* c) {
    c->busy = 0;
    c->in_body = 0;
    c->used = 1;
    --in_flight;
    if (now_running->close) disconnect(c);
    if (stopping) return;
    if (now_running->rate > 0) {
        idle[idle_count++] = c;
    } else {
        ask(c, now_ns());
    }
}

static void broken(struct client* c) {
    const int was_busy = c->busy;
    if (was_busy && (!c->used || c->held != 0 || c->in_body)) ++stats.errors;
    ++stats.reconnects;
    disconnect(c);
    if (!was_busy) return;
    c->busy = 0;
    --in_flight;
    if (!stopping) ask(c, c->asked);
}

// Consumes bytes of one answer; -1 for what is not an answer this program understands.
static int on_bytes(struct client* c, const char* data, size_t size) {
    if (!c->in_body) {
        if (c->held != 0) {
            if (size > kHead - c->held) return -1;
            memcpy(c->head + c->held, data, size);
            c->held += size;
            data = c->head;
            size = c->held;
        }
        const size_t end = head_end(data, size);
        if (end == 0) {
            if (size > kHead) return -1;
            if (c->held == 0) memcpy(c->head, data, size);
            c->held = size;
            return 0;
        }
        const int64_t body = body_size(data, end);
        if (body < 0) return -1;
        count_status(&stats, data + 9);
        c->held = 0;
        c->in_body = 1;
        c->body_left = (uint64_t)body;
        size -= end;
    }
    if (size > c->body_left) return -1;
    c->body_left -= size;
    if (c->body_left != 0) return 0;
    count_latency(&stats, now_ns() - c->asked);
    return 1;
}

void client_event(struct watched* w, uint32_t events) {
    struct client* c = (struct client*)w;
    if (c->out_size != 0 && c->busy) {
        if (!send_request(c)) return broken(c);
        if (c->out_size != 0 || (events & EPOLLIN) == 0) return;
    }
    do {
        const ssize_t n = get(c);
        if (n == 0) return;
        const int done = n < 0 || !c->busy ? -1 : on_bytes(c, buffer, (size_t)n);
        if (done < 0) return broken(c);
        if (done > 0) {
            finished(c);
            return;
        }
    } while (c->ssl != NULL && SSL_has_pending(c->ssl));
}

static void begin(const struct load* l) {
    now_running = l;
    stopping = in_flight = idle_count = 0;
    if (l->tls) make_tls();
    read_requests(l->requests);
    clients = calloc((size_t)l->connections, sizeof *clients);
    idle = calloc((size_t)l->connections, sizeof *idle);
    for (int i = 0; i < l->connections; ++i)
        clients[i].watched.fd = -1;
}

static void end(const struct load* l) {
    for (int i = 0; i < l->connections; ++i) {
        disconnect(&clients[i]);
        SSL_SESSION_free(clients[i].session);
    }
    free(clients);
    free(idle);
    clients = NULL;
}

// Lets `ms` pass; `started` and `sent` are of the open loop.
static void drive(uint64_t until, uint64_t started, uint64_t* sent) {
    const double interval = now_running->rate > 0 ? 1e9 / now_running->rate : 0;
    for (uint64_t now; (now = now_ns()) < until;) {
        while (interval > 0 && idle_count > 0) {
            const uint64_t due = started + (uint64_t)((double)*sent * interval);
            if (due > now) break;
            ++*sent;
            ask(idle[--idle_count], due);
        }
        turn(0);
    }
}

void run_load(const struct load* l) {
    begin(l);
    memset(&stats, 0, sizeof stats);
    const uint64_t started = now_ns();
    uint64_t sent = 0;
    for (int i = 0; i < l->connections; ++i) {
        if (l->rate > 0) {
            idle[idle_count++] = &clients[i];
        } else {
            ask(&clients[i], now_ns());
        }
    }
    drive(started + (uint64_t)l->warm_ms * 1000000u, started, &sent);
    memset(&stats, 0, sizeof stats);
    const uint64_t origin_before = origin_requests;
    const struct cpu before = cpu_of(l->pids);
    const uint64_t from = now_ns();
    drive(from + (uint64_t)l->ms * 1000000u, started, &sent);
    const struct cpu after = cpu_of(l->pids);
    const uint64_t wall = now_ns() - from;
    const uint64_t origin_count = origin_requests - origin_before;
    print_statistics(&stats, wall, origin_count, &before, &after);
    // Nobody is left in the middle of an exchange: a gateway would close its backend connection.
    stopping = 1;
    for (const uint64_t limit = now_ns() + 2000000000u; in_flight > 0 && now_ns() < limit;)
        turn(0);
    end(l);
}

static struct load idle_load;

void open_idle(const struct load* l) {
    idle_load = *l;
    begin(&idle_load);
    memset(&stats, 0, sizeof stats);
    stopping = 1;  // one request each
    for (int i = 0; i < l->connections; ++i) {
        ask(&clients[i], now_ns());
        while (in_flight > 16)
            turn(0);
    }
    for (const uint64_t limit = now_ns() + 5000000000u; in_flight > 0 && now_ns() < limit;)
        turn(0);
    printf("{\"open\": %d, \"errors\": %llu, \"reconnects\": %llu}\n", l->connections - in_flight,
           (unsigned long long)stats.errors, (unsigned long long)stats.reconnects);
}

void close_idle(void) {
    end(&idle_load);
    printf("{\"open\": 0}\n");
}
