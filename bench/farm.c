/* The origin farm: one epoll process that plays many web hosts on loopback, 127.0.0.1 to 127.0.0.HOSTS.
 *
 *   farm HOSTS HTTP_PORT [HTTPS_PORT CERTIFICATE KEY [HTTPS_PORT CERTIFICATE KEY]]
 *
 * The path decides the response: /BEHAVIOUR/LATENCY_MS/ARGUMENT/NUMBER. BEHAVIOUR is a status (then ARGUMENT is the
 * seconds of Retry-After, 0: none) or a name of `behaviours` below. /-/stats returns statistics as JSON; /-/reset sets
 * them to zero. Built with -DWITHOUT_TLS it serves http only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifndef WITHOUT_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
static SSL_CTX *contexts[3];
#else
typedef void SSL;
#endif

enum { MAX_HOSTS = 254, SLOTS = 4096, NUMBERS = 1 << 20, VIDEO = 1 << 18 };
enum { MAX_INPUT_BYTES = 4096, MAX_PAGE_BYTES = 12000, MAX_OPEN_FILES = 1 << 16 };
enum { SOON_MS = 1000, DRIP_MS = 300, STREAM_MS = 20, STREAM_CHUNK = 64 * 1024 };
typedef enum { IDLE, UNCOUNTED, ANSWERING, HANGING } state;
typedef enum { PLAIN, SECURE, SELF_SIGNED } protocol;

struct connection;
typedef struct {
    const char *name;
    void (*answer)(struct connection *);
    enum { NEVER, HEAD_ONLY, ALWAYS } hangs;
} behaviour;

/* A listening socket if `answers` is false; the timer list is doubly linked through `before`. */
typedef struct connection {
    bool answers, shaken, head, ranged, close_after, reset_after, unending;
    protocol protocol;
    state state;
    int fd, host, latency, number, status, dripped;
    long range_end, streams;
    char argument[64];
    const behaviour *behaviour;
    int64_t received_at, due;
    struct connection *next, **before;
    SSL *tls;
    char *out;
    size_t out_length, out_sent, out_room;
    bool wants_out;
    int filled;
    char input[MAX_INPUT_BYTES];
} connection;

typedef struct {
    int answering, most_answering, hanging, most_hanging, open, most_open;
} host;

static int poller, hosts, ports[3];
static host seen[MAX_HOSTS + 1];
static connection *by_file[MAX_OPEN_FILES];
static long requests, heads, gets, connections, handshakes, longest_ms;
static unsigned char requested_before[NUMBERS / 8];
static connection *wheel[SLOTS];
static long timers;
static int64_t now, ticked;
static char video[VIDEO], filler[MAX_PAGE_BYTES];

static int64_t clock_ms(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (int64_t)moment.tv_sec * 1000 + moment.tv_nsec / 1000000;
}

/* --- timers: a wheel of milliseconds; a timer due after more than one round stays in its slot */
static void timer_stop(connection *c) {
    if (!c->before) return;
    *c->before = c->next;
    if (c->next) c->next->before = c->before;
    c->before = NULL;
    timers--;
}

static void timer_start(connection *c, int milliseconds) {
    timer_stop(c);
    c->due = now + (milliseconds > 0 ? milliseconds : 1);
    connection **slot = &wheel[c->due % SLOTS];
    c->next = *slot;
    if (c->next) c->next->before = &c->next;
    c->before = slot;
    *slot = c;
    timers++;
}

/* --- connections */
static void end_request(connection *c) {
    if (c->state == ANSWERING) seen[c->host].answering--;
    if (c->state == HANGING) seen[c->host].hanging--;
    if (c->state > UNCOUNTED && clock_ms() - c->received_at > longest_ms) longest_ms = clock_ms() - c->received_at;
    c->state = IDLE;
    c->streams = 0;
}

static void drop(connection *c, bool with_reset) {
    timer_stop(c);
    end_request(c);
#ifndef WITHOUT_TLS
    if (c->tls) {
        ERR_clear_error();
        if (!with_reset && c->shaken) SSL_shutdown(c->tls);
        SSL_free(c->tls);
    }
#endif
    if (with_reset) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    if (c->fd < MAX_OPEN_FILES) by_file[c->fd] = NULL;
    close(c->fd);
    seen[c->host].open--;
    free(c->out);
    free(c);
}

static void listen_for(connection *c, bool writing) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (writing ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
    c->wants_out = writing;
}

/* Bytes sent; 0: the socket is full; -1: the connection is broken. */
static long send_some(connection *c) {
    const char *from = c->out + c->out_sent;
    size_t length = c->out_length - c->out_sent;
#ifndef WITHOUT_TLS
    if (c->tls) {
        ERR_clear_error();
        int sent = SSL_write(c->tls, from, (int)length);
        if (sent > 0) return sent;
        int error = SSL_get_error(c->tls, sent);
        return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ ? 0 : -1;
    }
#endif
    long sent = send(c->fd, from, length, MSG_NOSIGNAL);
    return sent < 0 ? (errno == EAGAIN ? 0 : -1) : sent;
}

/* False: the connection is closed. */
static bool flush(connection *c) {
    while (c->out_sent < c->out_length) {
        long sent = send_some(c);
        if (sent < 0) return drop(c, true), false;
        if (sent == 0) {
            if (!c->wants_out) listen_for(c, true);
            return true;
        }
        c->out_sent += (size_t)sent;
    }
    if (c->wants_out) listen_for(c, false);
    c->out_length = c->out_sent = 0;
    if (c->streams) return timer_start(c, STREAM_MS), true;
    if (c->unending) return true;
    if (c->reset_after || c->close_after) return drop(c, c->reset_after), false;
    end_request(c);
    return true;
}

static void put(connection *c, const void *bytes, size_t length) {
    if (c->out_length + length > c->out_room) {
        c->out_room = (c->out_length + length) * 2;
        c->out = realloc(c->out, c->out_room);
        if (!c->out) abort();
    }
    memcpy(c->out + c->out_length, bytes, length);
    c->out_length += length;
}

static void say(connection *c, const char *text) { put(c, text, strlen(text)); }

/* --- sending responses */
static const char *phrase(int status) {
    switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 410: return "Gone";
    case 416: return "Range Not Satisfiable";
    case 429: return "Too Many Requests";
    case 451: return "Unavailable For Legal Reasons";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Status";
    }
}

static void head_of(connection *c, int status, const char *type, long length, const char *more) {
    char text[600];
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 %d %s\r\nServer: farm\r\nDate: Sun, 01 Nov 2026 10:00:00 GMT\r\nContent-Type: %s\r\n%s",
                        status, phrase(status), type, more);
    put(c, text, (size_t)size);
    if (length < 0) say(c, "\r\n");
    else put(c, text, (size_t)snprintf(text, sizeof text, "Content-Length: %ld\r\n\r\n", length));
}

static void send_text(connection *c, int status, const char *type, const char *body, const char *more) {
    head_of(c, status, type, (long)strlen(body), more);
    if (!c->head) say(c, body);
}

static const char HTML[] = "text/html; charset=utf-8";

/* A film's page of a usual size, about 8 kB; `promised` and `sent` differ if the stated length is wrong. */
static const char PAGE_1[] = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>";
static const char PAGE_2[] =
    " (1922) | Farm Films</title>\n<meta name=\"viewport\" content=\"width=device-width\">"
    "<link rel=\"stylesheet\" href=\"/static/site.css\"><script>window.dataLayer=[];function t(){dataLayer.push(arguments)}"
    "</script></head>\n<body><header><nav><a href=\"/\">Farm Films</a> <a href=\"/new\">New</a> <a href=\"/genres\">Genres</a>"
    " <a href=\"/about\">About</a></nav></header>\n<main><h1>";
static const char PAGE_3[] =
    "</h1>\n<video controls preload=\"none\" src=\"/media/film.mp4\"></video>\n<p>A stranger comes to a town that has "
    "forgotten how to be surprised. Before the week is over a letter is stolen, a bridge is closed and two old friends no "
    "longer speak. Restored from the only print that is known.</p>\n";

static void film(connection *c, const char *more, long promised, long sent) {
    const char *title = c->argument[0] > '9' || strlen(c->argument) > 2 ? c->argument : "A Film";
    size_t named = strlen(title), rest = strlen(filler);
    long whole = (long)(sizeof PAGE_1 + sizeof PAGE_2 + sizeof PAGE_3 - 3 + 2 * named + rest);
    head_of(c, 200, HTML, promised ? promised : whole, more);
    if (c->head) return;
    size_t begun = c->out_length;
    put(c, PAGE_1, sizeof PAGE_1 - 1);
    put(c, title, named);
    put(c, PAGE_2, sizeof PAGE_2 - 1);
    put(c, title, named);
    put(c, PAGE_3, sizeof PAGE_3 - 1);
    put(c, filler, rest);
    if (sent) c->out_length = begun + (size_t)sent;
}

static void on_page(connection *c) { film(c, "", 0, 0); }
static void on_short(connection *c) { film(c, "", 100000, 0), c->close_after = true; }
static void on_long(connection *c) { film(c, "", 3000, 0); }
static void on_broken_body(connection *c) { film(c, "", 0, 2500), c->reset_after = !c->head; }
static void on_close(connection *c) { film(c, "Connection: close\r\n", 0, 0), c->close_after = true; }
static void on_small(connection *c) {
    send_text(c, 200, HTML, "<!doctype html><title>A Film</title><h1>A Film</h1><video src=\"film.mp4\"></video>", "");
}
static void on_status(connection *c) {
    char more[64] = "", body[200];
    if (atoi(c->argument) > 0) snprintf(more, sizeof more, "Retry-After: %d\r\n", atoi(c->argument));
    snprintf(body, sizeof body, "<!doctype html><title>%d %s</title><h1>%s</h1>", c->status, phrase(c->status),
             phrase(c->status));
    send_text(c, c->status, HTML, body, more);
}
static void with_status(connection *c, int status) { c->status = status, c->argument[0] = 0, on_status(c); }
static void on_no_head_405(connection *c) { c->head ? with_status(c, 405) : on_page(c); }
static void on_no_head_501(connection *c) { c->head ? with_status(c, 501) : on_page(c); }
static void on_no_head_403(connection *c) { c->head ? with_status(c, 403) : on_page(c); }
static void on_no_head_404(connection *c) { c->head ? with_status(c, 404) : on_page(c); }

static void on_429_once(connection *c) {
    unsigned place = (unsigned)c->number % NUMBERS, bit = 1u << place % 8;
    bool again = requested_before[place / 8] & bit;
    requested_before[place / 8] |= (unsigned char)bit;
    if (again) on_page(c);
    else c->status = 429, on_status(c);
}

/* --- soft 404 pages */
static void on_missing(connection *c) {
    send_text(c, 200, HTML,
              "<!doctype html><html><head><title>404 - Page not found | Farm Films</title></head><body><nav><a href=\"/\">Home"
              "</a></nav><h1>Oops! Page not found</h1><p>The page you are looking for does not exist.</p></body></html>", "");
}
static void on_removed(connection *c) {
    send_text(c, 200, HTML,
              "<!doctype html><html><head><title>Farm Films</title></head><body><nav><a href=\"/\">Home</a></nav><div "
              "class=\"player\"><p>This video is no longer available: it was taken down by its owner.</p></div></body></html>", "");
}
static void on_front(connection *c) {
    send_text(c, 200, HTML,
              "<!doctype html><html><head><title>Farm Films</title></head><body><h1>Welcome to Farm Films</h1><p>Thousands of "
              "films, free to watch. What would you like to see tonight?</p></body></html>", "");
}
static void on_wall(connection *c) {
    send_text(c, 403, HTML,
              "<!doctype html><html><head><title>Just a moment...</title></head><body><h1>Checking your browser</h1></body>"
              "</html>", "");
}
static void on_sign_in(connection *c) {
    send_text(c, 200, HTML, "<!doctype html><title>Sign in</title><h1>Sign in</h1><form><input name=user></form>", "");
}

/* --- redirects */
static void send_on(connection *c, int status, const char *target) {
    char more[200];
    snprintf(more, sizeof more, "Location: %s\r\n", target);
    send_text(c, status, HTML, "", more);
}
static void onward(connection *c, int status, const char *name) {
    char target[160];
    int hops = atoi(c->argument);
    if (hops > 1) snprintf(target, sizeof target, "/%s/%d/%d/%d", name, c->latency, hops - 1, c->number);
    else snprintf(target, sizeof target, "/page/%d/0/%d", c->latency, c->number);
    send_on(c, status, target);
}
static void on_moved(connection *c) { onward(c, 301, "moved"); }
static void on_found(connection *c) { onward(c, 302, "found"); }
static void on_moved_next(connection *c) {
    char target[160];
    snprintf(target, sizeof target, "%s://127.0.0.%d:%d/page/%d/0/%d", c->protocol == PLAIN ? "http" : "https",
             c->host % hosts + 1, ports[c->protocol], c->latency, c->number);
    send_on(c, 301, target);
}
static void on_moved_dead(connection *c) {
    char target[160];
    snprintf(target, sizeof target, "/404/%d/0/%d", c->latency, c->number);
    send_on(c, 301, target);
}
static void on_loop(connection *c) {
    char target[160];
    snprintf(target, sizeof target, "/loop/%d/0/%d", c->latency, c->number);
    send_on(c, 302, target);
}
static void on_home(connection *c) { send_on(c, 302, "/"); }
static void on_members_only(connection *c) { send_on(c, 302, "/login"); }

/* --- media: the first bytes of real formats, with ranges */
static void send_media(connection *c, const char *type) {
    char more[120] = "Accept-Ranges: bytes\r\n";
    long last = c->ranged && c->range_end < VIDEO - 1 ? c->range_end : VIDEO - 1;
    if (c->ranged) snprintf(more + strlen(more), 90, "Content-Range: bytes 0-%ld/%d\r\n", last, VIDEO);
    head_of(c, c->ranged ? 206 : 200, type, last + 1, more);
    if (!c->head) put(c, video, (size_t)last + 1);
}
static void on_video(connection *c) { send_media(c, "video/mp4"); }
static void on_octet(connection *c) { send_media(c, "application/octet-stream"); }
static void on_playlist(connection *c) {
    send_text(c, 200, "application/vnd.apple.mpegurl",
              "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1280000,RESOLUTION=1280x720\n720p/index.m3u8\n", "");
}
static void on_manifest(connection *c) {
    send_text(c, 200, "application/dash+xml",
              "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"></MPD>\n", "");
}
static void on_nothing(connection *c) { send_text(c, 200, "video/mp4", "", ""); }

/* --- a page in gzip, even if not accepted: one stored block, which is valid gzip */
static uint32_t checksum(const char *bytes, size_t length) {
    uint32_t sum = ~0u;
    while (length--) {
        sum ^= (unsigned char)*bytes++;
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
    }
    return ~sum;
}
static void on_gzip(connection *c) {
    static const char text[] = "<!doctype html><title>A Film</title><h1>A Film</h1><video src=\"film.mp4\"></video>";
    static const unsigned char start[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1};
    const uint16_t size = sizeof text - 1, inverse = (uint16_t)~size;
    const uint32_t tail[] = {checksum(text, size), size};
    head_of(c, 200, HTML, (long)sizeof start + 4 + size + 8, "Content-Encoding: gzip\r\n");
    if (c->head) return;
    put(c, start, sizeof start);
    put(c, &size, 2);
    put(c, &inverse, 2);
    put(c, text, size);
    put(c, tail, sizeof tail);
}

/* --- responses that are difficult for clients */
static void on_chunked(connection *c) {
    head_of(c, 200, HTML, -1, "Transfer-Encoding: chunked\r\n");
    if (!c->head) say(c, "15\r\n<!doctype html><title\r\n15\r\n>A Film</title><p>Hi.\r\n0\r\n\r\n");
}
static void on_head_body(connection *c) {
    bool head = c->head;
    c->head = false;
    film(c, "", 0, 0);
    c->head = head;
}
static void on_endless(connection *c) {
    head_of(c, 200, HTML, -1, "Connection: close\r\n");
    c->close_after = true;
    if (c->head) return;
    c->streams = STREAM_CHUNK;
    say(c, PAGE_1), say(c, "A Film"), say(c, PAGE_2), say(c, "A Film"), say(c, PAGE_3);
}
static void on_drip(connection *c) {
    static const char start[] = "HTTP/1.1 200 OK\r\nX-Drip: ";
    put(c, c->dripped < (int)sizeof start - 1 ? &start[c->dripped] : "a", 1);
    c->dripped++;
    timer_start(c, DRIP_MS);
}
static void on_reset(connection *c) { say(c, "HTTP/1.1 200 OK\r\nContent-Le"), c->reset_after = true; }
static void on_empty(connection *c) { c->close_after = true; }
static void on_junk(connection *c) { say(c, "220 mail.farm.example ESMTP ready\r\n\r\n"), c->close_after = true; }

static const behaviour behaviours[] = {
    {"page", on_page, NEVER},                 /* a film's page; ARGUMENT is its title */
    {"small", on_small, NEVER},               /* a page of 80 bytes */
    {"video", on_video, NEVER},               /* video/mp4, with ranges */
    {"octet", on_octet, NEVER},               /* the same as application/octet-stream */
    {"playlist", on_playlist, NEVER},         /* HLS */
    {"manifest", on_manifest, NEVER},         /* DASH */
    {"gzip", on_gzip, NEVER},                 /* a page in gzip, accepted or not */
    {"chunked", on_chunked, NEVER},           /* a page without a length */
    {"close", on_close, NEVER},               /* a page, then the connection ends */
    {"moved", on_moved, NEVER},               /* 301, ARGUMENT hops on this host, then a page */
    {"found", on_found, NEVER},               /* the same with 302 */
    {"moved-next", on_moved_next, NEVER},     /* 301 to the next host's page */
    {"moved-dead", on_moved_dead, NEVER},     /* 301 to a 404 */
    {"loop", on_loop, NEVER},                 /* 302 to itself */
    {"home", on_home, NEVER},                 /* 302 to the front page */
    {"members-only", on_members_only, NEVER}, /* 302 to a login page */
    {"no-head-405", on_no_head_405, NEVER},   /* HEAD is rejected, GET is a page; and so on */
    {"no-head-501", on_no_head_501, NEVER},
    {"no-head-403", on_no_head_403, NEVER},
    {"no-head-404", on_no_head_404, NEVER},
    {"no-head-hang", on_page, HEAD_ONLY},     /* no response to HEAD */
    {"429-once", on_429_once, NEVER},         /* 429 to the first request of this NUMBER, then a page */
    {"missing", on_missing, NEVER},           /* 200 "page not found" */
    {"removed", on_removed, NEVER},           /* 200 "this video is no longer available" */
    {"wall", on_wall, NEVER},                 /* a bot wall */
    {"page-for-video", on_front, NEVER},      /* a page instead of a video */
    {"nothing", on_nothing, NEVER},           /* video/mp4 of length 0 */
    {"hang", on_page, ALWAYS},                /* never a byte */
    {"drip", on_drip, ALWAYS},                /* a header that comes byte by byte and never ends */
    {"endless", on_endless, NEVER},           /* a page that never ends */
    {"short", on_short, NEVER},               /* promises 100000 bytes, sends a page and closes */
    {"long", on_long, NEVER},                 /* promises less than it sends */
    {"broken-body", on_broken_body, NEVER},   /* reset in the middle of the page */
    {"head-body", on_head_body, NEVER},       /* the response to HEAD has a body */
    {"reset", on_reset, NEVER},               /* reset in the middle of the header */
    {"empty", on_empty, NEVER},               /* closes without a byte */
    {"junk", on_junk, NEVER},                 /* no HTTP at all */
};
static const behaviour plain_status = {"status", on_status, NEVER};
static const behaviour front = {"front", on_front, NEVER}, sign_in = {"sign-in", on_sign_in, NEVER};

/* --- counting */
static void on_stats(connection *c) {
    host most = {0};
    int hosts_used = 0;
    for (int number = 1; number <= hosts; number++) {
        const host *one = &seen[number];
        if (one->most_answering > most.most_answering) most.most_answering = one->most_answering;
        if (one->most_hanging > most.most_hanging) most.most_hanging = one->most_hanging;
        if (one->most_open > most.most_open) most.most_open = one->most_open;
        hosts_used += one->most_answering + one->most_hanging > 0;
    }
    char body[600];
    snprintf(body, sizeof body,
             "{\"requests\": %ld, \"head\": %ld, \"get\": %ld, \"connections\": %ld, \"handshakes\": %ld, \"hosts\": %d, "
             "\"most_answering\": %d, \"most_hanging\": %d, \"most_open\": %d, \"longest_ms\": %ld}\n",
             requests, heads, gets, connections, handshakes, hosts_used,
             most.most_answering, most.most_hanging, most.most_open,
             longest_ms);
    send_text(c, 200, "application/json", body, "");
}
static void on_stats_reset(connection *c) {
    requests = heads = gets = connections = handshakes = longest_ms = 0;
    memset(requested_before, 0, sizeof requested_before);
    for (int number = 1; number <= hosts; number++) {
        host *one = &seen[number];
        one->most_answering = one->answering, one->most_hanging = one->hanging, one->most_open = one->open;
    }
    send_text(c, 200, "application/json", "{}\n", "");
}
static const behaviour counters = {"stats", on_stats, NEVER}, stats_reset = {"reset", on_stats_reset, NEVER};

/* Whether the peer has closed the connection, even if we have not read that yet. */
static bool has_left(const connection *c) {
    struct pollfd file = {.fd = c->fd, .events = POLLRDHUP};
    return poll(&file, 1, 0) == 1 && file.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

/* How many requests to this host are in progress. The events of one round have no order: a request that was aborted
 * before the newest one was sent may still be counted. */
static int count_in_progress(int number) {
    int found = 0;
    for (int fd = 0; fd < MAX_OPEN_FILES; fd++) {
        const connection *c = by_file[fd];
        found += c && c->host == number && c->state == ANSWERING && !has_left(c);
    }
    return found;
}

static void count(connection *c) {
    host *here = &seen[c->host];
    requests++;
    if (c->head) heads++;
    else gets++;
    if (c->state == HANGING) {
        if (++here->hanging > here->most_hanging) here->most_hanging = here->hanging;
    } else if (++here->answering > here->most_answering) {
        int answering = count_in_progress(c->host);
        if (answering > here->most_answering) here->most_answering = answering;
    }
}

/* --- reading requests */
static const behaviour *named(connection *c, char *path) {
    if (!strncmp(path, "/-/", 3)) return !strcmp(path, "/-/reset") ? &stats_reset : &counters;
    if (!strcmp(path, "/")) return &front;
    if (!strcmp(path, "/login")) return &sign_in;
    char *rest = path + 1, *name = strsep(&rest, "/"), *latency = strsep(&rest, "/"), *argument = strsep(&rest, "/");
    c->latency = latency ? atoi(latency) : 0;
    c->number = rest ? atoi(rest) : 0;
    snprintf(c->argument, sizeof c->argument, "%s", argument ? argument : "0");
    for (char *letter = c->argument; *letter; letter++)
        if (*letter == '-') *letter = ' ';
    for (size_t one = 0; one < sizeof behaviours / sizeof *behaviours; one++)
        if (!strcmp(behaviours[one].name, name)) return &behaviours[one];
    c->status = strlen(name) == 3 && atoi(name) >= 200 ? atoi(name) : 404;
    return &plain_status;
}

/* `end` is the last byte of the header, which may be overwritten. False: the connection is closed. */
static bool begin(connection *c, char *text, char *end) {
    *end = 0;
    char *path = strchr(text, ' '), *after = path ? strchr(path + 1, ' ') : NULL;
    if (!after) return drop(c, false), false;
    *after = 0;
    c->head = !strncmp(text, "HEAD ", 5);
    char *range = strcasestr(after + 1, "\nrange: bytes=0-");
    c->ranged = range != NULL;
    c->range_end = range && range[16] >= '0' && range[16] <= '9' ? atol(range + 16) : VIDEO - 1;
    c->close_after = strcasestr(after + 1, "\nconnection: close") != NULL;
    c->latency = c->number = c->dripped = c->argument[0] = 0;
    c->received_at = now;
    c->behaviour = named(c, path + 1);
    c->unending = c->behaviour->hangs == ALWAYS || (c->behaviour->hangs == HEAD_ONLY && c->head);
    /* A late response looks like none: a request that takes long counts as hanging. */
    c->state = c->unending || c->latency > SOON_MS ? HANGING : ANSWERING;
    if (c->behaviour == &counters || c->behaviour == &stats_reset) c->state = UNCOUNTED;
    else count(c);
    if (c->unending && c->behaviour->answer != on_drip) return true;
    if (c->latency > 0) return timer_start(c, c->latency), true;
    c->behaviour->answer(c);
    return flush(c);
}

static void serve(connection *c) {
    while (c->state == IDLE && c->filled) {
        char *end = memmem(c->input, (size_t)c->filled, "\r\n\r\n", 4);
        if (!end) {
            if (c->filled == MAX_INPUT_BYTES) drop(c, true);
            return;
        }
        int used = (int)(end + 4 - c->input), left = c->filled - used;
        char kept[MAX_INPUT_BYTES];
        memcpy(kept, end + 4, (size_t)left);
        if (!begin(c, c->input, end + 3)) return;
        memcpy(c->input, kept, (size_t)left);
        c->filled = left;
    }
}

/* Bytes read; 0: nothing to read; -1: the peer has closed the connection. */
static long read_some(connection *c) {
    char *to = c->input + c->filled;
    int room = MAX_INPUT_BYTES - c->filled;
    if (room == 0) return -1;
#ifndef WITHOUT_TLS
    if (c->tls) {
        ERR_clear_error();
        int got = SSL_read(c->tls, to, room);
        if (got > 0) return got;
        int error = SSL_get_error(c->tls, got);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
#endif
    long got = recv(c->fd, to, (size_t)room, 0);
    return got > 0 ? got : got < 0 && errno == EAGAIN ? 0 : -1;
}

/* False: not yet, or the connection is closed. */
static bool shake(connection *c) {
#ifndef WITHOUT_TLS
    ERR_clear_error();
    int done = SSL_accept(c->tls);
    if (done == 1) {
        handshakes++;
        return c->shaken = true;
    }
    int error = SSL_get_error(c->tls, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) drop(c, true);
#else
    (void)c;
#endif
    return false;
}

static void read_from(connection *c) {
    if (c->tls && !c->shaken && !shake(c)) return;
    long got;
    do {
        got = read_some(c);
        if (got < 0) {
            drop(c, false);
            return;
        }
        c->filled += (int)got;
    } while (c->tls && got > 0);
    serve(c);
}

static void welcome(const connection *listener) {
    for (int most = 64; most; most--) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0) return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        connection *c = calloc(1, sizeof *c);
        if (!c) abort();
        c->answers = true, c->fd = fd, c->host = listener->host, c->protocol = listener->protocol;
#ifndef WITHOUT_TLS
        if (contexts[c->protocol]) c->tls = SSL_new(contexts[c->protocol]), SSL_set_fd(c->tls, fd);
#endif
        connections++;
        if (fd < MAX_OPEN_FILES) by_file[fd] = c;
        host *here = &seen[c->host];
        if (++here->open > here->most_open) here->most_open = here->open;
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

/* --- time */
static void fire(connection *c) {
    timer_stop(c);
    if (c->streams) {
        static char chunk[STREAM_CHUNK];
        if (!chunk[0]) memset(chunk, 'a', sizeof chunk);
        put(c, chunk, sizeof chunk);
    } else c->behaviour->answer(c);
    if (flush(c)) serve(c);
}

static void tick(void) {
    now = clock_ms();
    for (; ticked <= now; ticked++) {
        connection *c = wheel[ticked % SLOTS];
        while (c) {
            /* A timer may drop its own connection, but no other, so `next` stays valid. */
            connection *after = c->next;
            if (c->due <= now) fire(c);
            c = after;
        }
    }
}

static int patience(void) {
    if (!timers) return 1000;
    int ahead = 0;
    while (ahead < 100 && !wheel[(ticked + ahead) % SLOTS]) ahead++;
    int64_t left = ticked + ahead - clock_ms();
    return left > 0 ? (int)left : 0;
}

/* --- setting up */
static void open_listener(int number, protocol which) {
    connection *c = calloc(1, sizeof *c);
    if (!c) abort();
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), c->host = number, c->protocol = which;
    setsockopt(c->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ports[which])};
    place.sin_addr.s_addr = htonl(0x7f000000u + (uint32_t)number);
    if (bind(c->fd, (struct sockaddr *)&place, sizeof place) || listen(c->fd, 4096)) {
        perror("farm");
        exit(1);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event);
}

static void load_certificate(protocol which, const char *certificate, const char *key) {
#ifndef WITHOUT_TLS
    SSL_CTX *context = contexts[which] = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"farm", 4);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
#else
    (void)which, (void)certificate, (void)key;
    fprintf(stderr, "farm: built without TLS\n");
    exit(1);
#endif
}

static void write_bodies(void) {
    static const char ftyp[] = "\0\0\0\x20" "ftypisom\0\0\2\0isomiso2avc1mp41\0\0\0\x08" "free\0\4\0\0mdat";
    memcpy(video, ftyp, sizeof ftyp - 1);
    for (size_t place = sizeof ftyp - 1; place < VIDEO; place++) video[place] = (char)(place * 2654435761u >> 13);
    size_t length = (size_t)snprintf(filler, sizeof filler, "<section><h2>More films</h2><ul>\n");
    for (int film = 1; film <= 60; film++)
        length += (size_t)snprintf(filler + length, sizeof filler - length,
                                   "<li><a href=\"/film/%d\"><img src=\"/poster/%d.jpg\" alt=\"\" loading=\"lazy\"> The tale "
                                   "of number %d</a></li>\n", film * 7919, film * 7919, film);
    snprintf(filler + length, sizeof filler - length, "</ul></section></main><footer>Farm Films, 2026</footer></body></html>\n");
}

int main(int words, char **word) {
    if (words != 3 && words != 6 && words != 9) {
        fprintf(stderr, "farm HOSTS HTTP_PORT [HTTPS_PORT CERTIFICATE KEY [HTTPS_PORT CERTIFICATE KEY]]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* Ends when its parent is killed. */
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    hosts = atoi(word[1]);
    if (hosts < 1 || hosts > MAX_HOSTS) return 2;
    poller = epoll_create1(0);
    write_bodies();
    for (protocol which = PLAIN; (int)which * 3 + 2 < words; which++) {
        ports[which] = atoi(word[which ? which * 3 : 2]);
        if (which) load_certificate(which, word[which * 3 + 1], word[which * 3 + 2]);
        for (int number = 1; number <= hosts; number++) open_listener(number, which);
    }
    ticked = now = clock_ms();
    for (;;) {
        struct epoll_event events[512];
        int ready = epoll_wait(poller, events, 512, patience());
        now = clock_ms();
        if (!timers) ticked = now;
        /* Closed connections first, so that a freed slot is not counted together with its successor. */
        for (int one = 0; one < ready; one++) {
            connection *c = events[one].data.ptr;
            if (c->answers && events[one].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) drop(c, false), events[one].data.ptr = NULL;
        }
        for (int one = 0; one < ready; one++) {
            connection *c = events[one].data.ptr;
            if (!c) continue;
            if (!c->answers) welcome(c);
            else if (!(events[one].events & EPOLLOUT) || (c->tls && !c->shaken)) read_from(c);
            else if (flush(c)) read_from(c);
        }
        tick();
    }
}
