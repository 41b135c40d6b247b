// The least that a broadcast on one thread can cost: epoll, and one send(2) for each subscriber and turn of the loop.
//
// It knows one channel, believes every frame, keeps no account of anybody, and lets everybody wait for a subscriber that
// does not read, so it is not a server. It does for the load tool what a server would have to ask of the kernel, and a
// figure of a server next to it says how much is the server's own.
// Prints its ws:// URL once it listens on a free port of the loopback interface, and runs until it is killed.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FD = 1 << 17, EVENTS = 512, READ_SIZE = 256 * 1024, OUT_SIZE = 16 * 1024 * 1024 };

static struct {
    bool upgraded;
    char *rest;  // of a read that ended inside a frame
    size_t rest_length;
} peers[MAX_FD];
static int subscribers[MAX_FD], subscriber_count;
static char out[OUT_SIZE];  // the frames of this turn, the same for everybody
static size_t out_length;

// The answer to the one key that the load tool sends.
static const char handshake[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

static void send_all(int fd, const char *bytes, size_t length) {
    while (length) {
        ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL);
        if (count >= 0) {
            bytes += count, length -= (size_t)count;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
        } else {
            return;  // gone: the loop will hear of it
        }
    }
}

static void broadcast(void) {
    for (int i = 0; i < subscriber_count; i++) send_all(subscribers[i], out, out_length);
    out_length = 0;
}

static void put(const void *bytes, size_t length) {
    memcpy(out + out_length, bytes, length);
    out_length += length;
}

static void queue_event(const char *payload, size_t length) {
    static const char before[] = "{\"channel\":\"order\",\"event\":\"updated\",\"payload\":";
    size_t size = sizeof before - 1 + length + 1;
    if (out_length + size + 10 > OUT_SIZE) broadcast();
    unsigned char head[10] = {0x81, (unsigned char)size};
    size_t head_length = 2;
    if (size >= 126) {
        int width = size <= 0xffff ? 2 : 8;
        head[1] = width == 2 ? 126 : 127;
        for (int i = width - 1; i >= 0; i--) head[head_length++] = (unsigned char)((uint64_t)size >> (8 * i));
    }
    put(head, head_length), put(before, sizeof before - 1), put(payload, length), put("}", 1);
}

static void take_text(int fd, const char *text, size_t length) {
    const char *payload = memmem(text, length, "\"payload\":", 10);
    if (payload) {
        payload += 10;
        queue_event(payload, (size_t)(text + length - 1 - payload));
        return;
    }
    if (memmem(text, length, "\"subscribe\":[\"order\"", 20)) subscribers[subscriber_count++] = fd;
    if (memmem(text, length, "\"ping\"", 6)) send_all(fd, "\x81\x0a{\"pong\":1}", 12);
}

// Returns how many bytes the first frame, or the request before all frames, takes; 0 if it has not come as a whole.
static size_t take(int fd, char *bytes, size_t length) {
    if (!peers[fd].upgraded) {
        char *end = memmem(bytes, length, "\r\n\r\n", 4);
        if (!end) return 0;
        peers[fd].upgraded = true;
        send_all(fd, handshake, sizeof handshake - 1);
        return (size_t)(end - bytes) + 4;
    }
    const unsigned char *head = (unsigned char *)bytes;
    if (length < 2) return 0;
    size_t size = head[1] & 0x7f, width = size == 126 ? 2 : size == 127 ? 8 : 0, start = 2 + width + 4;
    if (length < start) return 0;
    if (width) size = 0;
    for (size_t i = 0; i < width; i++) size = size << 8 | head[2 + i];
    if (length < start + size) return 0;
    for (size_t i = 0; i < size; i++) bytes[start + i] ^= bytes[start - 4 + (i & 3)];
    if ((head[0] & 0x0f) == 1) take_text(fd, bytes + start, size);
    return start + size;
}

static void forget(int fd) {
    for (int i = 0; i < subscriber_count; i++)
        if (subscribers[i] == fd) subscribers[i--] = subscribers[--subscriber_count];
    free(peers[fd].rest);
    memset(&peers[fd], 0, sizeof peers[fd]);
    close(fd);
}

static void receive(int fd) {
    static char bytes[READ_SIZE];
    size_t length = peers[fd].rest_length, taken = 0, size;
    if (length) memcpy(bytes, peers[fd].rest, length);
    ssize_t count = recv(fd, bytes + length, sizeof bytes - length, 0);
    if (count <= 0) {
        if (count == 0 || errno != EAGAIN) forget(fd);
        return;
    }
    length += (size_t)count;
    while (taken < length && (size = take(fd, bytes + taken, length - taken))) taken += size;
    free(peers[fd].rest);
    peers[fd].rest_length = length - taken;
    peers[fd].rest = taken < length ? memcpy(malloc(length - taken), bytes + taken, length - taken) : NULL;
}

int main(void) {
    int one = 1, queue = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN, .data.fd = listener};
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&address, &size) || epoll_ctl(queue, EPOLL_CTL_ADD, listener, &event)) {
        perror("floor");
        return 1;
    }
    printf("ws://127.0.0.1:%d/ws/broadcast\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(queue, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != listener) {
                receive(events[i].data.fd);
                continue;
            }
            for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
                event.data.fd = fd;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                if (fd >= MAX_FD || epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event)) close(fd);
            }
        }
        if (out_length) broadcast();
    }
}
