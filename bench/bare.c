/* The bare prober: the most that one core can do. HEAD and http only, keep-alive, 4 requests at a time per host, 5 s.
 *
 *   bare LIST OUT      LIST: a URL per line, up to the first tab; OUT: URL, tab, alive or dead or skipped
 *
 * No redirects, no GET, no TLS, no DNS, no circuit breaker, no database: the lower bound for a checker.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_HOSTS = 256, PER_HOST = 4, SLOTS = MAX_HOSTS * PER_HOST, NONE = -1 };
static const double TIMEOUT = 5.0;

typedef struct {
    char *url, *path;
    int host, port, next;
    const char *verdict;
} link_;

/* One of the four request slots of a host; `fd` NONE: no connection, `link` NONE: no request. */
typedef struct {
    int fd, host, port, link, filled;
    bool connecting;
    double sent_at;
    char input[4096];
} slot;

static link_ *links;
static int how_many, left, first[MAX_HOSTS], last[MAX_HOSTS], poller;
static slot slots[SLOTS];

static double seconds(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

static void read_list(const char *name) {
    FILE *file = fopen(name, "r");
    char *line = NULL;
    size_t room = 0;
    if (!file) perror(name), exit(1);
    for (int host = 0; host < MAX_HOSTS; host++) first[host] = last[host] = NONE;
    while (getline(&line, &room, file) > 0) {
        if (how_many % 4096 == 0) links = realloc(links, (size_t)(how_many + 4096) * sizeof *links);
        line[strcspn(line, "\t\n")] = 0;
        link_ *one = &links[how_many];
        *one = (link_){.url = strdup(line), .next = NONE, .verdict = "skipped"};
        if (sscanf(line, "http://127.0.0.%d:%d", &one->host, &one->port) == 2) {
            one->path = strchr(one->url + 7, '/');
            if (first[one->host] == NONE) first[one->host] = how_many;
            else links[last[one->host]].next = how_many;
            last[one->host] = how_many;
            left++;
        }
        how_many++;
    }
    fclose(file);
}

static void disconnect(slot *l) {
    if (l->fd != NONE) close(l->fd);
    l->fd = NONE;
}

static void watch(slot *l, uint32_t what, int how) {
    struct epoll_event event = {.events = what, .data.ptr = l};
    epoll_ctl(poller, how, l->fd, &event);
}

static bool send_request(slot *l) {
    char text[600];
    int size = snprintf(text, sizeof text, "HEAD %s HTTP/1.1\r\nHost: 127.0.0.%d:%d\r\nUser-Agent: bare\r\nAccept: */*\r\n\r\n",
                        links[l->link].path, l->host, l->port);
    l->filled = 0;
    return send(l->fd, text, (size_t)size, MSG_NOSIGNAL) == size;
}

static void dial(slot *l) {
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    l->port = links[l->link].port;
    l->connecting = true;
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
    place.sin_addr.s_addr = htonl(0x7f000000u + (uint32_t)l->host);
    connect(l->fd, (struct sockaddr *)&place, sizeof place); /* The poller reports the result. */
    watch(l, EPOLLOUT, EPOLL_CTL_ADD);
}

/* Start the host's next link, if there is one. */
static void start_next(slot *l) {
    l->link = first[l->host];
    if (l->link == NONE) {
        disconnect(l);
        return;
    }
    first[l->host] = links[l->link].next;
    l->sent_at = seconds();
    if (l->fd != NONE && links[l->link].port == l->port && send_request(l)) return;
    disconnect(l);
    dial(l);
}

static void settle(slot *l, const char *verdict, bool keep) {
    links[l->link].verdict = verdict;
    left--;
    if (!keep) disconnect(l);
    start_next(l);
}

static void connected(slot *l) {
    int error = 0;
    getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    l->connecting = false;
    if (error || !send_request(l)) settle(l, "dead", false);
    else watch(l, EPOLLIN, EPOLL_CTL_MOD);
}

static void heard(slot *l) {
    long got = recv(l->fd, l->input + l->filled, sizeof l->input - 1 - (size_t)l->filled, 0);
    if (got <= 0) {
        settle(l, "dead", false);
        return;
    }
    l->filled += (int)got;
    l->input[l->filled] = 0;
    if (!strstr(l->input, "\r\n\r\n")) return;
    int status = strncmp(l->input, "HTTP/1.", 7) ? 0 : atoi(l->input + 9);
    settle(l, status >= 200 && status < 400 ? "alive" : status == 429 ? "unknown" : "dead",
           !strcasestr(l->input, "\nconnection: close"));
}

int main(int words, char **word) {
    if (words != 3) return fprintf(stderr, "bare LIST OUT\n"), 2;
    read_list(word[1]);
    poller = epoll_create1(0);
    for (int number = 0; number < SLOTS; number++) {
        slots[number] = (slot){.fd = NONE, .link = NONE, .host = number % MAX_HOSTS};
        start_next(&slots[number]);
    }
    double looked = seconds();
    while (left) {
        struct epoll_event events[512];
        int ready = epoll_wait(poller, events, 512, 100);
        for (int one = 0; one < ready; one++) {
            slot *l = events[one].data.ptr;
            if (l->connecting) connected(l);
            else heard(l);
        }
        double now = seconds();
        if (now - looked < 0.1) continue;
        looked = now;
        for (slot *l = slots; l < slots + SLOTS; l++)
            if (l->link != NONE && now - l->sent_at > TIMEOUT) settle(l, "dead", false);
    }
    FILE *out = fopen(word[2], "w");
    if (!out) return perror(word[2]), 1;
    for (int number = 0; number < how_many; number++) fprintf(out, "%s\t%s\n", links[number].url, links[number].verdict);
    return fclose(out) ? 1 : 0;
}
