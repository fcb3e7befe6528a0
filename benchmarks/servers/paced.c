/* The floor for paced streams: one thread, epoll, a heap of absolute deadlines, one write a frame.
 *
 *     paced PORT FILE     FILE: lines of `moment_ns length`, a blank line, the bytes of the frames
 *
 * A request is over with the blank line and a `}` at the end; nothing of it is looked at.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 65536
static int64_t moment[MOST];
static char *chunk[MOST];
static int length[MOST], steps;

struct stream { int64_t origin; int next, open; };
static struct stream streams[MOST];

struct entry { int64_t at; int fd; };
static struct entry heap[MOST];
static int heaped;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void push(int64_t at, int fd)
{
    int i = heaped++;
    for (; i > 0 && heap[(i - 1) / 2].at > at; i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = (struct entry){at, fd};
}

static void pop(void)
{
    struct entry last = heap[--heaped];
    int i = 0, child;
    for (; (child = 2 * i + 1) < heaped; i = child) {
        if (child + 1 < heaped && heap[child + 1].at < heap[child].at)
            child++;
        if (heap[child].at >= last.at)
            break;
        heap[i] = heap[child];
    }
    heap[i] = last;
}

static void load(const char *path)
{
    FILE *file = fopen(path, "rb");
    char line[128];
    static char raw[1 << 20];
    long long at;
    int size;
    while (fgets(line, sizeof line, file) && sscanf(line, "%lld %d", &at, &size) == 2) {
        moment[steps] = at;
        length[steps++] = size;
    }
    for (int i = 0; i < steps; i++) {
        if (fread(raw, 1, length[i], file) != (size_t)length[i])
            exit(1);
        chunk[i] = malloc(length[i] + 32);
        int head = sprintf(chunk[i], "%x\r\n", length[i]);
        memcpy(chunk[i] + head, raw, length[i]);
        memcpy(chunk[i] + head + length[i], "\r\n", 2);
        length[i] += head + 2;
    }
    fclose(file);
}

static void hang_up(int fd)
{
    streams[fd].open = 0;
    close(fd);
}

/* Send what is due, a write each; queue the stream for its next frame. */
static void play(int fd, int64_t now)
{
    struct stream *s = &streams[fd];
    while (s->next < steps && s->origin + moment[s->next] <= now) {
        if (write(fd, chunk[s->next], length[s->next]) < 0) {
            hang_up(fd);
            return;
        }
        s->next++;
    }
    if (s->next < steps)
        push(s->origin + moment[s->next], fd);
    else if (write(fd, "0\r\n\r\n", 5) < 0)
        hang_up(fd);
}

static void receive(int fd)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    char data[65536];
    ssize_t got = read(fd, data, sizeof data);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            hang_up(fd);
        return;
    }
    if (data[got - 1] != '}')
        return;
    int64_t now = now_ns();
    streams[fd] = (struct stream){now, 0, 1};
    if (write(fd, head, sizeof head - 1) > 0)
        play(fd, now);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    load(argv[2]);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 2048))
        return 1;
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[512];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct timespec wait, *patience = NULL;
        if (heaped) {
            int64_t left = heap[0].at - now_ns();
            left = left < 0 ? 0 : left;
            wait = (struct timespec){left / 1000000000, left % 1000000000};
            patience = &wait;
        }
        int found = epoll_pwait2(poll, ready, 512, patience, NULL);
        for (int i = 0; i < found; i++) {
            if (ready[i].data.fd != listener) {
                receive(ready[i].data.fd);
                continue;
            }
            int fd;
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
                epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
            }
        }
        int64_t now = now_ns();
        while (heaped && heap[0].at <= now) {
            int fd = heap[0].fd;
            pop();
            if (streams[fd].open)
                play(fd, now);
        }
    }
}
