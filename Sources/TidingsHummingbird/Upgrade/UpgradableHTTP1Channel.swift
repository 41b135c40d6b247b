import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// An HTTP/1.1 connection whose requests may turn it into a WebSocket.
struct UpgradableHTTP1Channel: HTTPChannelHandler {
    /// Answers plain requests.
    let responder: HTTPChannelHandler.Responder
    /// Answers upgrade requests: runs the router.
    let decide: @Sendable (HTTPRequest, any Channel, Logger) async throws -> Response
    let timeouts: ConnectionTimeouts
    /// Where answers are streams that take the connection over.
    let streamPaths: Set<String>

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let steps: AsyncStream<UpgradeHandler.Step>
        let handler: NIOLoopBound<UpgradeHandler>
    }

    /// Completes at once and fails only if the channel is closed already.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            Self.setOptions(of: channel)
            // At most one step for HTTP and one for an upgrade: nothing is read while the router decides.
            let (steps, continuation) = AsyncStream.makeStream(
                of: UpgradeHandler.Step.self,
                bufferingPolicy: .bufferingOldest(2)
            )
            let handler = UpgradeHandler(
                steps: continuation,
                timeouts: timeouts,
                streamPaths: streamPaths,
                logger: logger
            )
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTPResponseEncoder())
            try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            try pipeline.addHandler(handler)
            return Value(channel: channel, steps: steps, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
    }

    /// Serves the connection until it is closed, or has become a WebSocket that began with its first request: that
    /// costs no task.
    func handle(value: Value, logger: Logger) async {
        await withDiscardingTaskGroup { group in
            var answering: Task<Void, Never>?
            for await step in value.steps {
                switch step {
                case .serveHTTP(let channel):
                    group.addTask { await handleHTTP(asyncChannel: channel, logger: logger) }
                case .decide(let request):
                    answering = Task { await answer(request, on: value, logger: logger) }
                }
            }
            // The steps end with the connection, or with the answer. Nobody needs an answer without a connection.
            answering?.cancel()
            await answering?.value
            if Task.isCancelled { value.channel.close(promise: nil) }
        }
    }

    private func answer(_ request: HTTPRequest, on value: Value, logger: Logger) async {
        let attempt = UpgradeAttempt(request: request)
        var response: Response
        var body = ByteBuffer()
        do {
            response = try await UpgradeAttempt.$current.withValue(attempt) {
                try await decide(attempt.request, value.channel, logger)
            }
            body = try await response.body.collect()
        } catch {
            logger.debug("no answer to an upgrade request", metadata: ["error": "\(error)"])
            response = Response(status: .internalServerError)
        }
        let (head, collected) = (response.head, body)
        value.channel.eventLoop.execute {
            value.handler.value.finish(head, body: collected, takeover: attempt.takeover)
        }
    }

    /// Idle sessions are many: they start with a small buffer to read into and read once a turn. Options that the kind
    /// of socket does not have (a Unix socket has none of TCP's) are left as they are.
    private static func setOptions(of channel: any Channel) {
        let options = channel.syncOptions
        try? options?.setOption(
            .recvAllocator,
            value: AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 256, maximum: 65_536)
        )
        try? options?.setOption(.maxMessagesPerRead, value: 1)
        try? options?.setOption(.tcpOption(.tcp_nodelay), value: 1)
        try? options?.setOption(.socketOption(.so_keepalive), value: 1)
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 whose upgrade requests are answered by the same responder as every other request.
    static func http1<Responder: HTTPResponder>(
        upgradingWith responder: Responder,
        timeouts: ConnectionTimeouts,
        streamPaths: Set<String>
    ) -> HTTPServerBuilder
    where Responder.Context: RequestContext, Responder.Context.Source == ApplicationRequestContextSource {
        HTTPServerBuilder { respond in
            UpgradableHTTP1Channel(
                responder: respond,
                decide: { head, channel, logger in
                    var logger = logger
                    logger[metadataKey: "hb.request.id"] = .stringConvertible(RequestID())
                    let context = Responder.Context(
                        source: ApplicationRequestContextSource(channel: channel, logger: logger)
                    )
                    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
                    return try await responder.respond(to: request, context: context)
                },
                timeouts: timeouts,
                streamPaths: streamPaths
            )
        }
    }
}

extension ResponseBody {
    /// The whole body, at most 1 MiB: an answer that refuses an upgrade is a few lines.
    fileprivate consuming func collect() async throws -> ByteBuffer {
        let collector = BodyCollector()
        try await write(collector)
        return collector.buffer
    }
}

/// Keeps what a response's body writes.
private final class BodyCollector: ResponseBodyWriter {
    static let maximumBytes = 1024 * 1024
    private(set) var buffer = ByteBuffer()

    func write(_ part: ByteBuffer) async throws {
        guard buffer.readableBytes + part.readableBytes <= Self.maximumBytes else {
            throw Problem(.internalServerError, code: "answer_too_large", detail: "The answer is too large.")
        }
        buffer.writeImmutableBuffer(part)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
