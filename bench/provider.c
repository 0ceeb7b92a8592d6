/*
 * A provider that costs next to nothing: one thread, epoll, keep-alive, answers prepared before the
 * first call. It speaks OpenAI's chat completions well enough to be measured against: a plain JSON
 * answer, or, when the body says "stream": true, a role event, N content events, a finish event, a
 * usage event when "include_usage": true asks for it, and [DONE]; each event is a write of its own.
 *
 *     provider [--port P] [--chunks N] [--gap-us U] [--first-byte-us U]
 *
 * It prints "port <number>" once it listens and dies with its parent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CHUNKS = 4096, MAX_REQUEST = 64 << 20, EVENTS = 256 };
#define SECOND 1000000000LL

struct piece {
    char *data;
    size_t size;
};

/* One connection: its unread request bytes, and the answer it is in the middle of, if any. */
struct connection {
    int fd;
    bool waits_for_room;
    char *input;
    size_t used, room;
    const struct piece *next, *end;
    size_t sent;
    int64_t due_ns;
    struct connection *newer;
};

static struct piece plain[1], streamed[MAX_CHUNKS + 5], streamed_with_usage[MAX_CHUNKS + 6];
static size_t streamed_pieces, streamed_with_usage_pieces;
static int poller;
/* Answers under way, the one due first at the head: in a queue all wait equally long. */
static struct queue {
    struct connection *oldest, *newest;
    int64_t wait_ns;
} before_first, between_pieces;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static struct piece piece(const char *format, ...) {
    struct piece made;
    va_list values;
    va_start(values, format);
    int size = vasprintf(&made.data, format, values);
    va_end(values);
    if (size < 0) die("vasprintf");
    made.size = (size_t)size;
    return made;
}

/* One server-sent event as one HTTP chunk. */
static struct piece event(const char *json) {
    return piece("%zx\r\ndata: %s\n\n\r\n", strlen(json) + 8, json);
}

#define USAGE                                                                                      \
    "{\"prompt_tokens\":12,\"completion_tokens\":20,\"total_tokens\":32,"                          \
    "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"                          \
    "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"                    \
    "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}"
#define CHUNK                                                                                      \
    "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"      \
    "\"model\":\"bench-model\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_bench\","

static size_t prepare_stream(struct piece *to, int chunks, bool usage) {
    const char *none = usage ? ",\"usage\":null}" : "}";
    size_t n = 0;
    char json[1024];
    to[n++] = piece("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                    "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n");
    snprintf(json, sizeof json, CHUNK "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
             "\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]%s", none);
    to[n++] = event(json);
    for (int i = 1; i <= chunks; i++) {
        snprintf(json, sizeof json, CHUNK "\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                 "\" word%d\"},\"logprobs\":null,\"finish_reason\":null}]%s", i, none);
        to[n++] = event(json);
    }
    snprintf(json, sizeof json, CHUNK "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,"
             "\"finish_reason\":\"stop\"}]%s", none);
    to[n++] = event(json);
    if (usage) to[n++] = event(CHUNK "\"choices\":[],\"usage\":" USAGE "}");
    to[n++] = piece("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
    return n;
}

static void prepare_plain(void) {
    const char *json =
        "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1760000000,"
        "\"model\":\"bench-model\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
        "\"content\":\"One two three four five six seven eight nine ten eleven twelve thirteen "
        "fourteen fifteen sixteen seventeen eighteen nineteen twenty.\",\"refusal\":null,"
        "\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":" USAGE ","
        "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_bench\"}";
    plain[0] = piece("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%s", strlen(json), json);
}

static void watch(struct connection *c, bool for_room) {
    struct epoll_event e = {.events = EPOLLIN | (for_room ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &e) < 0) die("epoll_ctl");
    c->waits_for_room = for_room;
}

static void enqueue(struct queue *q, struct connection *c) {
    c->due_ns = now_ns() + q->wait_ns;
    c->newer = NULL;
    if (q->newest) q->newest->newer = c;
    else q->oldest = c;
    q->newest = c;
}

/* Forgets a connection; when it still stands in the queue, the queue frees it as its turn comes. */
static void hang_up(struct connection *c) {
    bool queued = c->next != c->end && !c->waits_for_room;
    close(c->fd);
    free(c->input);
    c->fd = -1;
    c->input = NULL;
    if (!queued) free(c);
}

/* "name": true, with any white space around the colon. */
static bool is_true(const char *body, size_t size, const char *name) {
    const char *at = memmem(body, size, name, strlen(name)), *end = body + size;
    if (!at) return false;
    for (at += strlen(name); at < end && (*at == ' ' || *at == ':' || *at == '\n'); at++) {}
    return end - at >= 4 && memcmp(at, "true", 4) == 0;
}

/* Takes one whole request off the input and starts its answer; false when more bytes are needed. */
static bool begin_answer(struct connection *c) {
    char *blank = memmem(c->input, c->used, "\r\n\r\n", 4);
    if (!blank) return false;
    size_t head = (size_t)(blank - c->input) + 4, body = 0;
    for (char *line = c->input; line < blank; line = strstr(line, "\r\n") + 2)
        if (strncasecmp(line, "content-length:", 15) == 0) body = strtoul(line + 15, NULL, 10);
    if (c->used < head + body) return false;
    c->next = plain;
    c->end = plain + 1;
    if (is_true(c->input + head, body, "\"stream\"")) {
        bool usage = is_true(c->input + head, body, "\"include_usage\"");
        c->next = usage ? streamed_with_usage : streamed;
        c->end = c->next + (usage ? streamed_with_usage_pieces : streamed_pieces);
    }
    c->sent = 0;
    c->used -= head + body;
    memmove(c->input, c->input + head + body, c->used + 1);
    return true;
}

/* Sends the piece that is due: a plain answer whole, a stream one event; then waits or reads on. */
static void send_due(struct connection *c) {
    ssize_t sent = send(c->fd, c->next->data + c->sent, c->next->size - c->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        c->next = c->end;
        hang_up(c);
        return;
    }
    if (sent > 0) c->sent += (size_t)sent;
    bool whole = c->sent == c->next->size;
    if (whole) {
        c->next++;
        c->sent = 0;
    }
    if (whole == c->waits_for_room) watch(c, !whole);
    if (!whole) return;
    if (c->next != c->end) enqueue(&between_pieces, c);
    else if (begin_answer(c)) enqueue(&before_first, c);
}

static void receive(struct connection *c) {
    if (c->room - c->used < 4096) {
        c->room = c->room ? c->room * 2 : 16384;
        if (c->room > MAX_REQUEST || !(c->input = realloc(c->input, c->room))) die("request");
    }
    ssize_t got = recv(c->fd, c->input + c->used, c->room - c->used - 1, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        hang_up(c);
        return;
    }
    c->used += (size_t)got;
    c->input[c->used] = 0;
    if (c->next != c->end || !begin_answer(c)) return;
    if (before_first.wait_ns) enqueue(&before_first, c);
    else send_due(c);
}

static void welcome(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        if (!c) die("calloc");
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) < 0) die("epoll_ctl");
    }
}

/* Plays a queue up to now; returns how long until its next turn, at most `pause_ns`. */
static int64_t play(struct queue *q, int64_t pause_ns) {
    int64_t now = now_ns();
    while (q->oldest && q->oldest->due_ns <= now) {
        struct connection *c = q->oldest;
        if (!(q->oldest = c->newer)) q->newest = NULL;
        if (c->fd < 0) free(c);
        else send_due(c);
    }
    if (!q->oldest) return pause_ns;
    int64_t wait_ns = q->oldest->due_ns - now_ns();
    return wait_ns < 0 ? 0 : wait_ns < pause_ns ? wait_ns : pause_ns;
}

int main(int argc, char **argv) {
    int port = 0, chunks = 20, one = 1;
    for (int i = 1; i + 1 < argc; i += 2) {
        long value = strtol(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--port") == 0) port = (int)value;
        else if (strcmp(argv[i], "--chunks") == 0 && value <= MAX_CHUNKS) chunks = (int)value;
        else if (strcmp(argv[i], "--gap-us") == 0) between_pieces.wait_ns = value * 1000;
        else if (strcmp(argv[i], "--first-byte-us") == 0) before_first.wait_ns = value * 1000;
        else return fprintf(stderr, "provider: unknown option %s\n", argv[i]), 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prepare_plain();
    streamed_pieces = prepare_stream(streamed, chunks, false);
    streamed_with_usage_pieces = prepare_stream(streamed_with_usage, chunks, true);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, size) < 0) die("bind");
    if (listen(listener, 1024) < 0) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    struct epoll_event events[EVENTS], door = {.events = EPOLLIN, .data.ptr = NULL};
    if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1");
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &door) < 0) die("epoll_ctl");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);

    for (;;) {
        int64_t pause_ns = play(&between_pieces, play(&before_first, 3600 * SECOND));
        struct timespec pause = {.tv_sec = pause_ns / SECOND, .tv_nsec = pause_ns % SECOND};
        int ready = epoll_pwait2(poller, events, EVENTS, &pause, NULL);
        if (ready < 0 && errno != EINTR) die("epoll_pwait2");
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!c) welcome(listener);
            else if (c->waits_for_room && events[i].events & EPOLLOUT) send_due(c);
            else receive(c);
        }
    }
}
