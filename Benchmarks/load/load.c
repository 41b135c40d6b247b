// A load tool for broadcast servers: many WebSocket connections subscribe to one channel, one more publishes on it.
//
//   load URL [--connections N] [--messages M] [--window W] [--payload BYTES] [--rate PER_SECOND]
//            [--timeout SECONDS] [--server PID] [--connect | --idle]
//
// Without a mode it publishes M messages and expects each of them, in order, on each of the N connections. With --connect
// it stops when all are subscribed, with --idle it then prints READY and keeps them open until its input ends. With
// --server it also says how much CPU time that process took meanwhile. The result is one line of key=value; the exit
// status is 1 when a delivery is missing, a connection breaks or the time is up, and 2 for a wrong command line.
//
// One thread, so that it takes no more than one core from the server it shares the machine with. Linux only.
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
#include <time.h>
#include <unistd.h>

enum {
    MAX_PAYLOAD = 64 * 1024,
    READ_SIZE = 256 * 1024,
    OPENING_AT_ONCE = 64,  // enough to keep a server busy, too few to overflow its backlog
    EVENTS = 512,
    STEPS = 64,  // of the histogram, in each power of two: values are right to 1.6 %
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
} Connection;

typedef enum { PUBLISH, CONNECT, IDLE } Mode;

static struct {
    char host[64], path[256];
    uint16_t port;
    uint32_t connections, messages, window, payload;
    double rate, timeout;
    int server;
    Mode mode;
} options = {.connections = 100, .messages = 1000, .window = 1, .payload = 100, .timeout = 60};

static Connection *connections;  // the subscribers and, last, the one that publishes
static uint32_t opened, ready_count, total;
static int queue;
static uint64_t deadline;

static uint32_t published, completed;  // messages; completed are those that everybody has
static uint32_t *deliveries_of;        // for each message
static uint64_t deliveries, slowest, histogram[64 * STEPS];

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

static double percentile_us(double share) {
    uint64_t wanted = (uint64_t)(share * (double)deliveries + 0.5), seen = 0;
    for (size_t step = 0; step < 64 * STEPS; step++) {
        seen += histogram[step];
        if (!seen || seen < wanted) continue;
        size_t shift = step < STEPS ? 0 : step / STEPS - 1;
        uint64_t low = step < STEPS ? step : (uint64_t)(step % STEPS + STEPS) << shift;
        return (double)low / 1e3;
    }
    return 0;
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
        if (count < 0) fail("send: %s", strerror(errno));
        sent += (size_t)count;
    }
    if (sent) memmove(unsent->bytes, unsent->bytes + sent, unsent->length -= sent);
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
                          "{\"publish\":\"order\",\"payload\":{\"entity_id\":\"00000000-0000-4000-8000-%012u\",\"t\":%llu,"
                          "\"p\":\"%s\"}}",
                          published, (unsigned long long)time, filling);
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
    uint32_t number = (uint32_t)strtoul(id + 25, NULL, 10);
    if (number != connection->received) fail("expected message %u and got %u", connection->received, number);
    if (number >= published) fail("message %u was not published", number);
    connection->received++;
    deliveries++;
    deliveries_of[number]++;
    while (completed < published && deliveries_of[completed] == options.connections) completed++;
    uint64_t start = strtoull(sent, NULL, 10), latency = time > start ? time - start : 0;
    histogram[step_of(latency)]++;
    if (latency > slowest) slowest = latency;
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
        case 0x88: fail("the server closed, code %d", size < 2 ? 0 : (unsigned char)payload[0] << 8 | (unsigned char)payload[1]);
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
    const char *greeting = publishes ? "{\"ping\":1}" : "{\"subscribe\":[\"order\"],\"ping\":1}";
    connection->stage = SUBSCRIBING;
    send_frame(connection, 1, greeting, strlen(greeting));
    return size;
}

static void receive(Connection *connection) {
    // All connections read into the same memory, which stays in the cache; only what is left of a frame is kept for each.
    static char bytes[READ_SIZE];
    for (bool more = true; more;) {
        size_t length = connection->unread.length, taken = 0;
        if (length) memcpy(bytes, connection->unread.bytes, length);
        ssize_t count = recv(connection->fd, bytes + length, sizeof bytes - length, 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) fail("recv: %s", strerror(errno));
        if (count == 0) fail("the server closed a connection");
        more = length + (size_t)count == sizeof bytes;  // otherwise there is nothing more, or epoll will tell
        length += (size_t)count;
        uint64_t time = now();
        while (taken < length) {
            size_t size = connection->stage == HANDSHAKE ? take_handshake(connection, bytes + taken, length - taken)
                                                         : take_frame(connection, bytes + taken, length - taken, time);
            if (!size) break;
            taken += size;
        }
        connection->unread.length = 0;
        if (taken < length) append(&connection->unread, bytes + taken, length - taken);
    }
}

// MARK: The loop

static void open_next(void) {
    Connection *connection = &connections[opened++];
    int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    if (inet_pton(AF_INET, options.host, &address.sin_addr) != 1) fail("not an IPv4 address: %s", options.host);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    // The example key of RFC 6455, so that the answer is known without SHA-1.
    char request[1024];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          options.path, options.host, options.port);
    append(&connection->unsent, request, (size_t)length);
    watch(connection, EPOLL_CTL_ADD, true);
}

// Waits until something happens or the time comes, and deals with it. Returns false at the end of the input.
static bool turn(uint64_t until) {
    struct epoll_event events[EVENTS];
    uint64_t time = now();
    if (time >= deadline) fail("the time is up");
    if (until > deadline) until = deadline;
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
        if (events[i].events & ~(uint32_t)EPOLLOUT) receive(connection);
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
        while (published < options.messages && published - completed < options.window) {
            uint64_t time = now(), due = start + published * interval;
            if (interval && due > time) {
                until = due;
                break;
            }
            // At a given rate the latency counts from when the message was due. A server that falls behind and so keeps
            // the window closed would otherwise hide its delay by being asked less.
            publish(interval ? due : time);
        }
        turn(until);
    }
}

static void stay_idle(void) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    puts("READY");
    fflush(stdout);
    if (epoll_ctl(queue, EPOLL_CTL_ADD, STDIN_FILENO, &event)) return;  // a file: nothing to wait for
    while (turn(UINT64_MAX)) {}
}

static _Noreturn void usage(void) {
    fputs("usage: load ws://ADDRESS:PORT/PATH [--connections N] [--messages M] [--window W] [--payload BYTES]\n"
          "            [--rate PER_SECOND] [--timeout SECONDS] [--server PID] [--connect | --idle]\n", stderr);
    exit(2);
}

static void parse(int count, char **arguments) {
    static const struct option known[] = {
        {"connections", 1, 0, 'n'}, {"messages", 1, 0, 'm'}, {"window", 1, 0, 'w'}, {"payload", 1, 0, 'p'},
        {"rate", 1, 0, 'r'},        {"timeout", 1, 0, 't'},  {"server", 1, 0, 's'}, {"connect", 0, 0, 'c'},
        {"idle", 0, 0, 'i'},        {0},
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
            case 't': options.timeout = value; break;
            case 's': options.server = (int)value; break;
            case 'c': options.mode = CONNECT; break;
            case 'i': options.mode = IDLE; break;
        }
    }
    if (optind != count - 1 || !options.connections || !options.window || options.payload > MAX_PAYLOAD ||
        sscanf(arguments[optind], "ws://%63[^:/]:%hu%255s", options.host, &options.port, options.path) != 3)
        usage();
}

int main(int count, char **arguments) {
    parse(count, arguments);
    bool publishes = options.mode == PUBLISH;
    if (!publishes) options.messages = 0;
    total = options.connections + (publishes ? 1 : 0);
    connections = calloc(total, sizeof *connections);
    deliveries_of = calloc(options.messages + 1u, sizeof *deliveries_of);
    queue = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || !deliveries_of || queue < 0) fail("cannot start: %s", strerror(errno));
    uint64_t start = now();
    deadline = start + (uint64_t)(options.timeout * 1e9);
    double cpu = server_cpu_us();
    open_all();
    if (options.mode == IDLE) stay_idle();
    if (publishes) start = now(), cpu = server_cpu_us(), publish_all();  // what it took to connect does not count here
    double seconds = (double)(now() - start) / 1e9;
    cpu = server_cpu_us() - cpu;
    double units = publishes ? (double)deliveries : (double)total;
    printf("connections=%u messages=%u window=%u payload=%u deliveries=%llu seconds=%.3f per_second=%.0f cpu_us=%.2f",
           options.connections, options.messages, options.window, options.payload, (unsigned long long)deliveries, seconds,
           units / seconds, units > 0 ? cpu / units : 0);
    if (publishes)
        printf(" p50_us=%.0f p99_us=%.0f max_us=%.0f", percentile_us(0.5), percentile_us(0.99), (double)slowest / 1e3);
    putchar('\n');
    return 0;
}
