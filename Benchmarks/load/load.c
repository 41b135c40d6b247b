// A load tool for broadcast servers: many WebSocket connections subscribe to one channel, one more publishes on it.
//
//   load URL [--connections N] [--messages M] [--window W] [--payload BYTES] [--rate PER_SECOND]
//            [--closing N] [--slow N] [--slow-rate BYTES_PER_SECOND]
//            [--timeout SECONDS] [--server PID] [--publish-port PORT] [--connect | --idle]
//
// Without a mode it publishes M messages and expects each of them, in order, on each of the N connections. With --connect
// it stops when all are subscribed, with --idle it then prints READY and keeps them open until its input ends. With
// --server it also says how much CPU time that process took meanwhile. With --publish-port it publishes at another server on
// the same address, of which the first one hears. The result is one line of key=value; the exit
// status is 1 when a delivery is missing, a connection breaks or the time is up, and 2 for a wrong command line.
//
// Two kinds of further connections show what some clients do to the others; only the N are measured. --closing subscribes
// some to another channel and closes them all when half of the messages are published; the latencies are then given for
// before and for from there on. --slow subscribes some to the same channel, which read that many bytes a second and need
// not get anything; the server may close them, and slow_closed says how many it did. At a given rate late_us says by how
// much this tool published too late at the most: latencies of that size are its own, or the machine's.
//
// One thread, so that it takes no more than one core from the server it shares the machine with; with --closing there is
// a second process, which does nothing but keep those connections and close them. Linux only.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_PAYLOAD = 64 * 1024,
    READ_SIZE = 256 * 1024,
    OPENING_AT_ONCE = 64,  // enough to keep a server busy, too few to overflow its backlog
    EVENTS = 512,
    STEPS = 64,  // of the histogram, in each power of two: values are right to 1.6 %
    SLOW_BUFFER = 4096,    // of the kernel, for a slow subscriber
    SLOW_SEGMENT = 1460,   // as on an Ethernet
    SLOW_TICK = 50000000,  // nanoseconds
};

typedef struct {
    char *bytes;
    size_t length, capacity;
} Buffer;

typedef enum { HANDSHAKE, SUBSCRIBING, READY } Stage;

typedef struct {
    int fd;
    Stage stage;
    bool waits_to_write;
    uint32_t received;  // deliveries so far, and so the number that the next one must have
    Buffer unread;      // the beginning of a frame whose rest has not come
    Buffer unsent;
    double allowance;   // bytes that a slow one may read by now
} Connection;

typedef enum { PUBLISH, CONNECT, IDLE } Mode;

static struct {
    char host[64], path[256];
    uint16_t port, publish_port;
    uint32_t connections, messages, window, payload, closing, slow;
    double rate, slow_rate, timeout;
    int server;
    Mode mode;
} options = {.connections = 100, .messages = 1000, .window = 1, .payload = 100, .slow_rate = 1024, .timeout = 60};

static Connection *connections;  // the subscribers, then the one that publishes, then the slow ones
static uint32_t opened, ready_count, total;
static const char *channel = "order";
static int queue;
static uint64_t deadline;

static enum { OPENING, PACING, CATCHING_UP } slow_phase;
static uint64_t slow_read_at, slow_bytes;  // when they read last; what they read at their pace
static uint32_t slow_closed;

static int closing_order, closing_report;  // pipes to the process with the connections that are to be closed
static uint64_t closed;                    // when it was told to; 0 before

static uint32_t published, completed;  // messages; completed are those that everybody has
static uint32_t *deliveries_of;        // for each message
static uint64_t deliveries;

typedef struct {
    uint64_t count, slowest, histogram[64 * STEPS];
    uint64_t latest;  // by how much a message was published too late, at a given rate: this tool's own part in the above
} Latencies;
static Latencies before, after;  // the close; by when they were read, so that what it holds up counts as after

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static _Noreturn void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, " (subscribed %u of %u, delivered %llu of %llu)\n", ready_count, total,
            (unsigned long long)deliveries, (unsigned long long)options.connections * options.messages);
    exit(1);
}

static void *allocate(void *old, size_t size) {
    void *memory = realloc(old, size);
    if (!memory) fail("out of memory");
    return memory;
}

static void append(Buffer *buffer, const void *bytes, size_t length) {
    if (buffer->length + length > buffer->capacity) {
        buffer->capacity = (buffer->length + length) * 2;
        buffer->bytes = allocate(buffer->bytes, buffer->capacity);
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

// MARK: Latency

static size_t step_of(uint64_t value) {
    if (value < STEPS) return value;
    int shift = 63 - __builtin_clzll(value) - 6;
    return (size_t)(shift + 1) * STEPS + (size_t)(value >> shift) - STEPS;
}

static void add(Latencies *latencies, uint64_t latency) {
    latencies->count++;
    latencies->histogram[step_of(latency)]++;
    if (latency > latencies->slowest) latencies->slowest = latency;
}

static Latencies sum(const Latencies *some, const Latencies *others) {
    Latencies all = *some;
    all.count += others->count;
    if (others->slowest > all.slowest) all.slowest = others->slowest;
    if (others->latest > all.latest) all.latest = others->latest;
    for (size_t step = 0; step < 64 * STEPS; step++) all.histogram[step] += others->histogram[step];
    return all;
}

static double percentile_us(const Latencies *latencies, double share) {
    uint64_t wanted = (uint64_t)(share * (double)latencies->count + 0.5), seen = 0;
    for (size_t step = 0; step < 64 * STEPS; step++) {
        seen += latencies->histogram[step];
        if (!seen || seen < wanted) continue;
        size_t shift = step < STEPS ? 0 : step / STEPS - 1;
        uint64_t low = step < STEPS ? step : (uint64_t)(step % STEPS + STEPS) << shift;
        return (double)low / 1e3;
    }
    return 0;
}

static void print_latencies(const char *when, const Latencies *latencies) {
    printf(" p50%s_us=%.0f p99%s_us=%.0f max%s_us=%.0f", when, percentile_us(latencies, 0.5), when,
           percentile_us(latencies, 0.99), when, (double)latencies->slowest / 1e3);
    if (options.rate > 0) printf(" late%s_us=%.0f", when, (double)latencies->latest / 1e3);
}

// MARK: The server's CPU time

static double server_cpu_us(void) {
    if (!options.server) return 0;
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", options.server);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file) fclose(file);
    text[length] = 0;
    // The name in the second field may hold anything, spaces and parentheses too: count from its end.
    char *field = strrchr(text, ')');
    for (int skipped = 0; field && skipped < 12; skipped++) field = strchr(field + 1, ' ');
    unsigned long long user, system;
    if (!field || sscanf(field, "%llu %llu", &user, &system) != 2) fail("no process %d", options.server);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

// MARK: Slow subscribers

static bool is_slow(const Connection *connection) { return connection > &connections[options.connections]; }

// A paced one is not in the queue: what it has not read yet would wake the loop again and again.
static bool is_paced(const Connection *connection) { return slow_phase == PACING && is_slow(connection); }

// Once the run has begun a server may close a slow subscriber. Returns false if the connection had to last.
static bool lose(Connection *connection) {
    if (slow_phase == OPENING || !is_slow(connection)) return false;
    close(connection->fd);
    connection->fd = -1;
    slow_closed++;
    if (connection->stage != READY) connection->stage = READY, ready_count++;  // no pong will come
    return true;
}

// MARK: Sending

static void watch(Connection *connection, int operation, bool writable) {
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = connection};
    if (epoll_ctl(queue, operation, connection->fd, &event)) fail("epoll_ctl: %s", strerror(errno));
    connection->waits_to_write = writable;
}

// Never blocks: a server that waits for this tool to read must not find it waiting for the server.
static void flush(Connection *connection) {
    Buffer *unsent = &connection->unsent;
    size_t sent = 0;
    while (sent < unsent->length) {
        ssize_t count = send(connection->fd, unsent->bytes + sent, unsent->length - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) break;
        if (count < 0 && lose(connection)) return;
        if (count < 0) fail("send: %s", strerror(errno));
        sent += (size_t)count;
    }
    if (sent) memmove(unsent->bytes, unsent->bytes + sent, unsent->length -= sent);
    if (is_paced(connection)) return;  // it tries again when it next answers a ping, and when it catches up
    if (connection->waits_to_write != (unsent->length > 0)) watch(connection, EPOLL_CTL_MOD, unsent->length > 0);
}

static void send_frame(Connection *connection, int opcode, const char *payload, size_t length) {
    static uint32_t random = 2463534242u;  // xorshift: the mask has to vary, nobody here has to be unable to guess it
    random ^= random << 13, random ^= random >> 17, random ^= random << 5;
    unsigned char head[14] = {(unsigned char)(0x80 | opcode)};
    size_t size = 2;
    if (length < 126) {
        head[1] = (unsigned char)(0x80 | length);
    } else {
        int width = length <= 0xffff ? 2 : 8;
        head[1] = 0x80 | (width == 2 ? 126 : 127);
        for (int i = width - 1; i >= 0; i--) head[size++] = (unsigned char)((uint64_t)length >> (8 * i));
    }
    unsigned char mask[4];
    memcpy(mask, &random, 4);
    memcpy(head + size, mask, 4);
    append(&connection->unsent, head, size + 4);
    size_t start = connection->unsent.length;
    append(&connection->unsent, payload, length);
    for (size_t i = 0; i < length; i++) connection->unsent.bytes[start + i] ^= (char)mask[i & 3];
    flush(connection);
}

static void publish(uint64_t time) {
    static char *message, *filling;
    if (!message) {
        message = allocate(NULL, options.payload + 256);
        filling = allocate(NULL, options.payload + 1);
        memset(filling, 'x', options.payload);
        filling[options.payload] = 0;
    }
    // The number of the message is in the entity's id, so that what arrives can be checked and not only counted.
    int length = snprintf(message, options.payload + 256,
                          "{\"publish\":\"%s\",\"payload\":{\"entity_id\":\"00000000-0000-4000-8000-%012u\",\"t\":%llu,"
                          "\"p\":\"%s\"}}",
                          channel, published, (unsigned long long)time, filling);
    published++;
    send_frame(&connections[options.connections], 1, message, (size_t)length);
}

// MARK: Receiving

// Where the value of a member begins. Enough of a JSON reader for messages that this tool has written itself, and for
// servers that put a space behind the colon.
static const char *member(const char *text, size_t length, const char *name) {
    char key[32];
    int size = snprintf(key, sizeof key, "\"%s\":", name);
    const char *value = memmem(text, length, key, (size_t)size);
    if (!value) return NULL;
    for (value += size; value < text + length && *value == ' '; value++) {}
    return value;
}

static void take_message(Connection *connection, const char *text, size_t length, uint64_t time) {
    if (connection->stage == SUBSCRIBING && member(text, length, "pong")) {
        connection->stage = READY;
        ready_count++;
        return;
    }
    const char *id = member(text, length, "entity_id"), *sent = member(text, length, "t");
    if (!id || !sent || id + 38 > text + length) {
        if (member(text, length, "error")) fail("the server says %.*s", (int)length, text);
        return;
    }
    if (is_slow(connection)) return;
    if (options.mode != PUBLISH) fail("an event, and nobody published: %.*s", (int)length, text);
    uint32_t number = (uint32_t)strtoul(id + 25, NULL, 10);
    if (number != connection->received) fail("expected message %u and got %u", connection->received, number);
    if (number >= published) fail("message %u was not published", number);
    connection->received++;
    deliveries++;
    deliveries_of[number]++;
    while (completed < published && deliveries_of[completed] == options.connections) completed++;
    uint64_t start = strtoull(sent, NULL, 10), latency = time > start ? time - start : 0;
    add(closed ? &after : &before, latency);
}

// Takes a frame from the beginning of the bytes. Returns its size, or 0 if it is not there as a whole.
static size_t take_frame(Connection *connection, const char *bytes, size_t length, uint64_t time) {
    const unsigned char *head = (const unsigned char *)bytes;
    if (length < 2) return 0;
    size_t size = head[1] & 0x7f, width = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (head[1] & 0x80) fail("the server masks its frames");
    if (length < 2 + width) return 0;
    if (width) size = 0;
    for (size_t i = 0; i < width; i++) size = size << 8 | head[2 + i];
    // A server adds a little around a payload; what could never fit is an error rather than a wait.
    if (size > MAX_PAYLOAD + 4096) fail("a frame of %zu bytes", size);
    if (length < 2 + width + size) return 0;
    const char *payload = bytes + 2 + width;
    switch (head[0]) {
        case 0x81: take_message(connection, payload, size, time); break;
        case 0x88:
            if (lose(connection)) break;
            fail("the server closed, code %d", size < 2 ? 0 : (unsigned char)payload[0] << 8 | (unsigned char)payload[1]);
        case 0x89: send_frame(connection, 10, payload, size); break;
        case 0x8a: break;
        default: fail("a frame that begins with 0x%02x", head[0]);
    }
    return 2 + width + size;
}

static size_t take_handshake(Connection *connection, const char *bytes, size_t length) {
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) {
        if (length > 8192) fail("no end to the handshake");
        return 0;
    }
    size_t size = (size_t)(end - bytes) + 4;
    if (strncmp(bytes, "HTTP/1.1 101", 12) || !memmem(bytes, size, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28))
        fail("no WebSocket: %.*s", (int)strcspn(bytes, "\r"), bytes);
    // Messages are handled in order: the pong says that the server has the subscription.
    bool publishes = connection == &connections[options.connections];
    char greeting[64] = "{\"ping\":1}";
    if (!publishes) snprintf(greeting, sizeof greeting, "{\"subscribe\":[\"%s\"],\"ping\":1}", channel);
    connection->stage = SUBSCRIBING;
    send_frame(connection, 1, greeting, strlen(greeting));
    return size;
}

static void receive(Connection *connection, size_t limit) {
    // All connections read into the same memory, which stays in the cache; only what is left of a frame is kept for each.
    static char bytes[READ_SIZE];
    for (bool more = true; more;) {
        size_t length = connection->unread.length, taken = 0;
        if (length) memcpy(bytes, connection->unread.bytes, length);
        size_t room = sizeof bytes - length;
        if (room > limit) room = limit;
        ssize_t count = recv(connection->fd, bytes + length, room, 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0 && lose(connection)) return;
        if (count < 0) fail("recv: %s", strerror(errno));
        if (count == 0) fail("the server closed a connection");
        limit -= (size_t)count;
        more = (size_t)count == room && limit;  // otherwise there is nothing more, or epoll will tell
        if (is_paced(connection)) slow_bytes += (size_t)count;
        length += (size_t)count;
        uint64_t time = now();
        while (taken < length && connection->fd >= 0) {
            size_t size = connection->stage == HANDSHAKE ? take_handshake(connection, bytes + taken, length - taken)
                                                         : take_frame(connection, bytes + taken, length - taken, time);
            if (!size) break;
            taken += size;
        }
        if (connection->fd < 0) return;  // lost, with what was left
        connection->unread.length = 0;
        if (taken < length) append(&connection->unread, bytes + taken, length - taken);
    }
}

// MARK: Pace

static void start_pacing(void) {
    slow_read_at = now();
    slow_phase = PACING;
    for (Connection *slow = &connections[options.connections + 1]; slow < &connections[total]; slow++)
        if (epoll_ctl(queue, EPOLL_CTL_DEL, slow->fd, NULL)) fail("epoll_ctl: %s", strerror(errno));
}

static void read_slowly(uint64_t time) {
    double bytes = (double)(time - slow_read_at) * options.slow_rate / 1e9;
    slow_read_at = time;
    for (Connection *slow = &connections[options.connections + 1]; slow < &connections[total]; slow++) {
        if (slow->fd < 0) continue;
        slow->allowance += bytes;
        size_t whole = (size_t)slow->allowance;
        // What is not there to be read is not saved up: a pause of the server must not make up for a slow reader.
        slow->allowance -= (double)whole;
        if (whole) receive(slow, whole);
    }
}

// MARK: The loop

static void open_next(void) {
    Connection *connection = &connections[opened++];
    int one = 1;
    bool publishes = connection == &connections[options.connections];
    uint16_t port = publishes && options.publish_port ? options.publish_port : options.port;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1) fail("not an IPv4 address: %s", options.host);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (is_slow(connection)) {
        // Otherwise the kernel takes for it what it does not read, on the server's side in a buffer that grows with the
        // size of a segment: with those of the loopback interface, which have 64 KiB, to 4 MiB instead of 128 KiB.
        int buffer = SLOW_BUFFER, segment = SLOW_SEGMENT;
        if (setsockopt(connection->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) ||
            setsockopt(connection->fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment))
            fail("setsockopt: %s", strerror(errno));
    }
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    // The example key of RFC 6455, so that the answer is known without SHA-1.
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          options.path, options.host, port);
    append(&connection->unsent, request, (size_t)length);
    watch(connection, EPOLL_CTL_ADD, true);
}

// Waits until something happens or the time comes, and deals with it. Returns false at the end of the input.
static bool turn(uint64_t until) {
    struct epoll_event events[EVENTS];
    uint64_t time = now();
    if (time >= deadline) fail("the time is up");
    if (until > deadline) until = deadline;
    if (options.slow && slow_phase == PACING) {
        if (time >= slow_read_at + SLOW_TICK) read_slowly(time);
        if (until > slow_read_at + SLOW_TICK) until = slow_read_at + SLOW_TICK;
    }
    uint64_t rest = until > time ? until - time : 0;
    struct timespec limit = {.tv_sec = (time_t)(rest / 1000000000u), .tv_nsec = (long)(rest % 1000000000u)};
    int count = epoll_pwait2(queue, events, EVENTS, &limit, NULL);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2: %s", strerror(errno));
    bool open = true;
    for (int i = 0; i < count; i++) {
        Connection *connection = events[i].data.ptr;
        if (!connection) {
            char ignored[256];
            if (read(STDIN_FILENO, ignored, sizeof ignored) <= 0) open = false;
            continue;
        }
        if (events[i].events & EPOLLOUT) flush(connection);
        if (connection->fd < 0) continue;
        if (events[i].events & ~(uint32_t)EPOLLOUT) receive(connection, SIZE_MAX);
    }
    return open;
}

static void open_all(void) {
    while (ready_count < total) {
        while (opened < total && opened - ready_count < OPENING_AT_ONCE) open_next();
        turn(UINT64_MAX);
    }
}

static void publish_all(void) {
    uint64_t start = now(), interval = options.rate > 0 ? (uint64_t)(1e9 / options.rate) : 0;
    while (completed < options.messages) {
        uint64_t until = UINT64_MAX;
        if (options.closing && !closed && published >= options.messages / 2) {
            close(closing_order);
            closed = now();
        }
        while (published < options.messages && published - completed < options.window) {
            uint64_t time = now(), due = start + published * interval;
            if (interval && due > time) {
                until = due;
                break;
            }
            // At a given rate the latency counts from when the message was due. A server that falls behind and so keeps
            // the window closed would otherwise hide its delay by being asked less.
            publish(interval ? due : time);
            Latencies *half = closed ? &after : &before;
            if (interval && time - due > half->latest) half->latest = time - due;
        }
        turn(until);
    }
}

// A server that has given up a slow subscriber may have said so behind much that it has not read. So each is asked for a
// pong and then reads as fast as it can, until it has that or is at the end of the connection.
static void catch_up(void) {
    slow_phase = CATCHING_UP;
    for (Connection *slow = &connections[options.connections + 1]; slow < &connections[total]; slow++) {
        if (slow->fd < 0) continue;
        slow->stage = SUBSCRIBING;
        ready_count--;
        watch(slow, EPOLL_CTL_ADD, false);
    }
    for (uint64_t again = 0; ready_count < total; turn(again)) {
        if (now() < again) continue;
        again = now() + 1000000000u;
        // More than once, as a server may leave out the answer while it has too much for this connection.
        for (Connection *slow = &connections[options.connections + 1]; slow < &connections[total]; slow++)
            if (slow->stage == SUBSCRIBING) send_frame(slow, 1, "{\"ping\":1}", 10);
    }
}

static void stay_idle(void) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    puts("READY");
    fflush(stdout);
    if (epoll_ctl(queue, EPOLL_CTL_ADD, STDIN_FILENO, &event)) return;  // a file: nothing to wait for
    while (turn(UINT64_MAX)) {}
}

static void prepare(void) {
    total = options.connections + (options.mode == PUBLISH ? 1 : 0) + options.slow;
    connections = calloc(total, sizeof *connections);
    deliveries_of = calloc(options.messages + 1u, sizeof *deliveries_of);
    queue = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || !deliveries_of || queue < 0) fail("cannot start: %s", strerror(errno));
}

// MARK: The connections that are closed at once

// Opens them, says so, and closes them at the end of its input.
static _Noreturn void keep_closing(void) {
    options.connections = options.closing;
    options.messages = options.slow = 0;
    options.mode = IDLE;
    channel = "other";
    prepare();
    open_all();
    stay_idle();
    // A socket that is closed with something unread sends a reset, and not the end that is to be measured.
    for (uint32_t i = 0; i < total; i++) receive(&connections[i], SIZE_MAX);
    uint64_t start = now();
    for (uint32_t i = 0; i < total; i++) close(connections[i].fd);
    printf("%.0f\n", (double)(now() - start) / 1e3);
    exit(0);
}

// In a process of their own: to close ten thousand takes the kernel some tenths of a second, in which this one would
// neither publish nor read, and would take its own absence for the server's.
static void open_closing(void) {
    int order[2], report[2];
    if (pipe2(order, O_CLOEXEC) || pipe2(report, O_CLOEXEC)) fail("pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child < 0) fail("fork: %s", strerror(errno));
    if (child == 0) {
        dup2(order[0], STDIN_FILENO), dup2(report[1], STDOUT_FILENO);
        for (int i = 0; i < 2; i++) close(order[i]), close(report[i]);
        keep_closing();
    }
    close(order[0]), close(report[1]);
    closing_order = order[1], closing_report = report[0];
    char ready[6];  // as stay_idle writes it
    if (read(closing_report, ready, sizeof ready) <= 0) fail("those that are to be closed were not opened");
}

// Waits until they are closed, and returns how many microseconds that took.
static double closing_us(void) {
    char text[32] = "";
    int status;
    if (read(closing_report, text, sizeof text - 1) <= 0 || wait(&status) < 0 || status)
        fail("those that were to be closed did not last");
    return atof(text);
}

// MARK: The command line

static _Noreturn void usage(void) {
    fputs("usage: load ws://ADDRESS:PORT/PATH [--connections N] [--messages M] [--window W] [--payload BYTES]\n"
          "            [--rate PER_SECOND] [--closing N] [--slow N] [--slow-rate BYTES_PER_SECOND]\n"
          "            [--timeout SECONDS] [--server PID] [--publish-port PORT] [--connect | --idle]\n", stderr);
    exit(2);
}

static void parse(int count, char **arguments) {
    static const struct option known[] = {
        {"connections", 1, 0, 'n'}, {"messages", 1, 0, 'm'}, {"window", 1, 0, 'w'}, {"payload", 1, 0, 'p'},
        {"rate", 1, 0, 'r'},        {"timeout", 1, 0, 't'},  {"server", 1, 0, 's'}, {"connect", 0, 0, 'c'},
        {"idle", 0, 0, 'i'},        {"closing", 1, 0, 'C'},  {"slow", 1, 0, 'S'},   {"slow-rate", 1, 0, 'R'},
        {"publish-port", 1, 0, 'P'}, {0},
    };
    for (int option; (option = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        double value = optarg ? atof(optarg) : 0;
        if (option == '?' || (optarg && (value < 0 || value > 1e9))) usage();
        switch (option) {
            case 'n': options.connections = (uint32_t)value; break;
            case 'm': options.messages = (uint32_t)value; break;
            case 'w': options.window = (uint32_t)value; break;
            case 'p': options.payload = (uint32_t)value; break;
            case 'r': options.rate = value; break;
            case 'C': options.closing = (uint32_t)value; break;
            case 'S': options.slow = (uint32_t)value; break;
            case 'R': options.slow_rate = value; break;
            case 't': options.timeout = value; break;
            case 's': options.server = (int)value; break;
            case 'P': options.publish_port = (uint16_t)value; break;
            case 'c': options.mode = CONNECT; break;
            case 'i': options.mode = IDLE; break;
        }
    }
    if (optind != count - 1 || !options.connections || !options.window || options.payload > MAX_PAYLOAD ||
        (options.mode != PUBLISH && (options.closing || options.slow)) ||
        sscanf(arguments[optind], "ws://%63[^:/]:%hu%255s", options.host, &options.port, options.path) != 3)
        usage();
}

int main(int count, char **arguments) {
    parse(count, arguments);
    bool publishes = options.mode == PUBLISH;
    if (!publishes) options.messages = 0;
    uint64_t start = now();
    deadline = start + (uint64_t)(options.timeout * 1e9);
    if (options.closing) open_closing();
    prepare();
    double cpu = server_cpu_us();
    open_all();
    if (options.mode == IDLE) stay_idle();
    if (publishes) {
        start_pacing();
        start = now(), cpu = server_cpu_us();  // what it took to connect does not count here
        publish_all();
    }
    double seconds = (double)(now() - start) / 1e9;
    cpu = server_cpu_us() - cpu;
    double units = publishes ? (double)deliveries : (double)total;
    printf("connections=%u messages=%u window=%u payload=%u deliveries=%llu seconds=%.3f per_second=%.0f cpu_us=%.2f",
           options.connections, options.messages, options.window, options.payload, (unsigned long long)deliveries, seconds,
           units / seconds, units > 0 ? cpu / units : 0);
    if (publishes) {
        Latencies all = sum(&before, &after);
        print_latencies("", &all);
    }
    if (options.closing) {
        printf(" closing=%u closing_us=%.0f", options.closing, closing_us());
        print_latencies("_before", &before);
        print_latencies("_after", &after);
    }
    if (options.slow) {
        catch_up();
        printf(" slow=%u slow_closed=%u slow_bytes=%llu", options.slow, slow_closed, (unsigned long long)slow_bytes);
    }
    putchar('\n');
    return 0;
}
