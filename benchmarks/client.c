/* Opens many streams and writes down when each frame arrived.
 *
 *     client PORT STREAMS FRAMES SPREAD_MS LIMIT_MS REQUEST OUT
 *
 * The requests (the bytes of the file REQUEST) go out evenly over SPREAD_MS. Responses are chunked and made
 * of event-stream frames, which are told apart by their lengths. OUT gets, for each stream, FRAMES doubles:
 * seconds from the request's write to the arrival of the frame's last byte; -1: it did not come.
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

enum where { HEAD, SIZE, DATA, DATA_END, OVER };

struct stream {
    int fd, frames, seen;         /* seen: of the four bytes that end the head, or of a frame's length */
    enum where where;
    int64_t asked;
    uint32_t chunk, length, left; /* bytes left of the chunk; a frame's length; bytes left of the frame */
};

static struct stream *streams;
static double *arrivals;
static int frames_each, running;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void finish(struct stream *s)
{
    if (s->where != OVER)
        running--;
    s->where = OVER;
    close(s->fd);
}

/* Bytes of the body: a length of four bytes, then the rest of the frame. */
static void body(struct stream *s, const unsigned char *data, uint32_t size, int64_t now)
{
    while (size) {
        if (s->seen < 4) {
            s->length = s->length << 8 | *data++;
            size--;
            if (++s->seen == 4)
                s->left = s->length - 4;
            continue;
        }
        uint32_t taken = size < s->left ? size : s->left;
        data += taken;
        size -= taken;
        s->left -= taken;
        if (!s->left) {
            if (s->frames < frames_each)
                arrivals[(s - streams) * (long)frames_each + s->frames] = (now - s->asked) / 1e9;
            s->frames++;
            s->seen = s->length = 0;
        }
    }
}

static void parse(struct stream *s, const unsigned char *data, uint32_t size, int64_t now)
{
    static const char blank[] = "\r\n\r\n";
    while (size && s->where != OVER) {
        unsigned char byte = *data;
        switch (s->where) {
        case HEAD:
            s->seen = byte == blank[s->seen] ? s->seen + 1 : byte == '\r';
            data++, size--;
            if (s->seen == 4)
                s->where = SIZE, s->seen = 0, s->chunk = 0;
            break;
        case SIZE:
            data++, size--;
            if (byte == '\n') {
                if (!s->chunk)
                    finish(s);
                else
                    s->where = DATA;
            } else if (byte != '\r')
                s->chunk = s->chunk << 4 | (byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10);
            break;
        case DATA: {
            uint32_t taken = size < s->chunk ? size : s->chunk;
            body(s, data, taken, now);
            data += taken, size -= taken, s->chunk -= taken;
            if (!s->chunk)
                s->where = DATA_END;
            break;
        }
        case DATA_END:
            data++, size--;
            if (byte == '\n')
                s->where = SIZE;
            break;
        case OVER:
            break;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 8)
        return 2;
    int count = atoi(argv[2]), asked = 0, one = 1;
    frames_each = atoi(argv[3]);
    int64_t spread = atoll(argv[4]) * 1000000, limit = atoll(argv[5]) * 1000000;
    static char request[1 << 16];
    FILE *file = fopen(argv[6], "rb");
    size_t length = fread(request, 1, sizeof request, file);
    fclose(file);
    streams = calloc(count, sizeof *streams);
    arrivals = malloc(sizeof *arrivals * count * frames_each);
    for (long i = 0; i < (long)count * frames_each; i++)
        arrivals[i] = -1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int poll = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        int fd = streams[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address))
            return 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    }
    running = count;
    int64_t start = now_ns() + 100000000;
    while (running && now_ns() < start + spread + limit) {
        int64_t now = now_ns(), next = start + limit + spread;
        for (; asked < count; asked++) {
            next = start + spread * asked / count;
            if (next > now)
                break;
            streams[asked].asked = now_ns();
            if (write(streams[asked].fd, request, length) != (ssize_t)length)
                return 1;
        }
        int64_t left = next > now ? next - now : 0;
        struct timespec wait = {left / 1000000000, left % 1000000000};
        struct epoll_event ready[256];
        int found = epoll_pwait2(poll, ready, 256, &wait, NULL);
        for (int i = 0; i < found; i++) {
            static unsigned char data[65536];
            struct stream *s = &streams[ready[i].data.u32];
            ssize_t got = read(s->fd, data, sizeof data);
            if (got > 0)
                parse(s, data, got, now_ns());
            else if (got == 0 || errno != EAGAIN)
                finish(s);
        }
    }
    file = fopen(argv[7], "wb");
    fwrite(arrivals, sizeof *arrivals, (size_t)count * frames_each, file);
    fclose(file);
    return 0;
}
