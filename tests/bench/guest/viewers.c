/* viewers HOST PORT PATH: many MJPEG viewers that cost as little as can be, of any server.
 *
 * Reads one command a line, and answers each with one line of JSON:
 *
 *     join N   N more viewers; answers when each has had a whole picture
 *     mark     begin to count
 *     read     what came since: of each viewer the pictures, and those that it missed; how old pictures were when
 *              they were whole, in milliseconds
 *     leave    all go
 *
 * A picture says in a comment of its own its number and the time when it was taken: see camera.py. The rest of it is
 * discarded in the kernel (MSG_TRUNC, tcp(7)).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 64, HEAD = 2048, AGES = 8192 };
static const char MARK[] = "TRIPOD-CLOCK ";

struct viewer {
    int sock, have, pictures, missed;
    long left, number, last;
    double taken;
    char head[HEAD + 1];
};

static struct viewer viewers[MOST];
static double ages[AGES];
static int present, counted, loop;
static char request[512];
static struct sockaddr_in address = {.sin_family = AF_INET};

static void fail(const char *why) {
    fprintf(stderr, "viewers: %s: %s\n", why, strerror(errno));
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* The head of a part: its length, and what its picture says; one that says nothing is none of the camera's, and is
 * passed over. 0 while more of it is needed. */
static int parse(struct viewer *v) {
    v->head[v->have] = 0;
    char *length = memmem(v->head, v->have, "Content-Length: ", 16);
    char *body = length ? memmem(length, v->head + v->have - length, "\r\n\r\n", 4) : NULL;
    char *mark = body ? memmem(body, v->head + v->have - body, MARK, sizeof MARK - 1) : NULL;
    if (!body || ((!mark || v->head + v->have - mark < 48) && v->have < HEAD)) return 0;
    v->number = mark ? strtol(mark + sizeof MARK - 1, &mark, 10) : v->last;
    v->taken = mark ? strtod(mark, NULL) : 0;
    v->left = strtol(length + 16, NULL, 10) - (v->head + v->have - (body + 4));
    return 1;
}

static void seen(struct viewer *v) {
    v->have = 0;
    if (v->number == v->last) return; /* sent twice */
    if (v->last) v->missed += v->number - v->last - 1;
    v->last = v->number;
    v->pictures++;
    if (counted < AGES) ages[counted++] = now() - v->taken;
}

static void take(struct viewer *v) {
    for (;;) {
        ssize_t got;
        if (v->left) {
            got = recv(v->sock, NULL, v->left, MSG_TRUNC | MSG_DONTWAIT);
        } else {
            if (v->have == HEAD) fail("no MJPEG");
            got = recv(v->sock, v->head + v->have, HEAD - v->have, MSG_DONTWAIT);
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) fail("the server hung up");
        if (v->left) {
            if (!(v->left -= got)) seen(v);
        } else {
            v->have += got;
            if (parse(v) && !v->left) seen(v);
        }
    }
}

static void join(int count) {
    int first = present;
    for (; count-- && present < MOST; present++) {
        struct viewer *v = &viewers[present];
        memset(v, 0, sizeof *v);
        if ((v->sock = socket(AF_INET, SOCK_STREAM, 0)) < 0) fail("socket");
        if (connect(v->sock, (struct sockaddr *)&address, sizeof address)) fail("connect");
        if (write(v->sock, request, strlen(request)) < 0) fail("request");
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = present};
        epoll_ctl(loop, EPOLL_CTL_ADD, v->sock, &event);
    }
    for (int i = first; i < present;) {
        struct epoll_event event;
        if (viewers[i].pictures) i++;
        else if (epoll_wait(loop, &event, 1, -1) == 1 && event.data.u32 < MOST) take(&viewers[event.data.u32]);
    }
}

static int obey(char *command) {
    int number = 0;
    if (sscanf(command, "join %d", &number) == 1) {
        epoll_ctl(loop, EPOLL_CTL_DEL, 0, NULL); /* no command is taken before this one is done */
        join(number);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = MOST};
        epoll_ctl(loop, EPOLL_CTL_ADD, 0, &event);
        printf("null");
    } else if (!strcmp(command, "mark\n")) {
        counted = 0;
        for (int i = 0; i < present; i++) viewers[i].pictures = viewers[i].missed = 0;
        printf("null");
    } else if (!strcmp(command, "read\n")) {
        printf("{\"viewers\": [");
        for (int i = 0; i < present; i++) printf("%s[%d, %d]", i ? ", " : "", viewers[i].pictures, viewers[i].missed);
        printf("], \"ages_ms\": [");
        for (int i = 0; i < counted; i++) printf("%s%.2f", i ? ", " : "", ages[i] * 1000);
        printf("]}");
    } else if (!strcmp(command, "leave\n")) {
        while (present) close(viewers[--present].sock);
        printf("null");
    } else {
        return 0;
    }
    printf("\n");
    fflush(stdout);
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    address.sin_port = htons(atoi(argv[2]));
    if (!inet_pton(AF_INET, argv[1], &address.sin_addr)) return 2;
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", argv[3], argv[1], argv[2]);
    setvbuf(stdin, NULL, _IONBF, 0);
    loop = epoll_create1(0);
    struct epoll_event commands = {.events = EPOLLIN, .data.u32 = MOST}, event;
    epoll_ctl(loop, EPOLL_CTL_ADD, 0, &commands);
    for (;;) {
        if (epoll_wait(loop, &event, 1, -1) != 1) continue;
        if (event.data.u32 < MOST) {
            take(&viewers[event.data.u32]);
        } else {
            char line[64];
            if (!fgets(line, sizeof line, stdin) || !obey(line)) return 0;
        }
    }
}
