import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOTLS

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Stands between the HTTP codec and Hummingbird's side of a connection: lets plain requests pass and turns upgrade
/// requests into sessions.
///
/// Hummingbird's handlers are added when the first plain request comes. A connection that starts with an upgrade never
/// has them, and nothing of HTTP is left in its pipeline afterwards.
final class UpgradeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What the task of the connection has to do next.
    enum Step: Sendable {
        /// Serve plain requests.
        case serveHTTP(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        /// Ask the router about an upgrade.
        case decide(HTTPRequest)
    }

    private let steps: AsyncStream<Step>.Continuation
    private let timeouts: ConnectionTimeouts
    private let logger: Logger
    private var state: UpgradeState
    private var servesHTTP = false
    private var hasTLS = false
    private var isReadHeldBack = false
    private var deadline: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(
        steps: AsyncStream<Step>.Continuation,
        timeouts: ConnectionTimeouts,
        streamPaths: Set<String> = [],
        logger: Logger
    ) {
        state = UpgradeState(streamPaths: streamPaths)
        self.steps = steps
        self.timeouts = timeouts
        self.logger = logger
    }
}

// MARK: - The channel's life

extension UpgradeHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        setDeadline(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        deadline?.cancel()
        steps.finish()
    }

    func channelInactive(context: ChannelHandlerContext) {
        steps.finish()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { hasTLS = true }
        // Until there is an HTTP server, these are nobody else's business.
        switch event {
        case ChannelEvent.inputClosed where !servesHTTP, is ChannelShouldQuiesceEvent where !servesHTTP:
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !servesHTTP else { return context.fireErrorCaught(error) }
        logger.debug("connection failed before its first request", metadata: ["error": "\(error)"])
        guard error is HTTPParserError else { return context.close(promise: nil) }
        refuse(HTTPResponse(status: .badRequest), body: ByteBuffer())
    }

    /// Closes a connection that does not get to its first request, or through its upgrade, in time.
    private func setDeadline(_ context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(timeouts.firstRequest)) {
            self.context?.close(promise: nil)
        }
    }
}

// MARK: - Requests

extension UpgradeHandler {
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        act(on: state.read(unwrapInboundIn(data)), context: context)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = unwrapOutboundIn(data)
        context.write(data, promise: promise)
        act(on: state.wrote(part), context: context)
    }

    func read(context: ChannelHandlerContext) {
        if state.holdsReads {
            isReadHeldBack = true
        } else {
            context.read()
        }
    }

    private func act(on action: UpgradeState.Action, context: ChannelHandlerContext) {
        switch action {
        case .hold: break
        case .forward(let part):
            if !servesHTTP { serveHTTP(context) }
            context.fireChannelRead(wrapInboundOut(part))
        case .decide(let request):
            if servesHTTP { setDeadline(context) }
            steps.yield(.decide(request))
        }
    }

    private func serveHTTP(_ context: ChannelHandlerContext) {
        servesHTTP = true
        deadline?.cancel()
        do {
            let pipeline = context.channel.pipeline.syncOperations
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: timeouts.idle, logger: logger))
            let channel = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: context.channel,
                configuration: .init(isOutboundHalfClosureEnabled: true)
            )
            try context.channel.syncOptions?.setOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator())
            steps.yield(.serveHTTP(channel))
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }
}

// MARK: - The router's answer

extension UpgradeHandler {
    /// Turns the connection into what the route accepted, or answers with what the router returned.
    func finish(_ response: HTTPResponse, body: ByteBuffer, takeover: UpgradeAttempt.Takeover?) {
        guard let context, case .deciding = state.phase else { return }
        var response = response
        switch takeover {
        case .webSocket(let makeHandler) where response.status == .switchingProtocols:
            state.end()
            response.headerFields[.contentLength] = nil
            context.write(wrapOutboundOut(.head(response)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            takeOver(context, makeHandler)
        case .stream(let makeStream) where response.status == .ok:
            state.end()
            response.headerFields[.contentLength] = nil
            let head = ByteBuffer(bytes: response.head)
            setUserTimeout(of: context.channel)
            takeOver(context) { makeStream($0, $1, head) }
        default:
            refuse(response, body: body)
        }
    }

    private func takeOver(_ context: ChannelHandlerContext, _ makeHandler: UpgradeAttempt.MakeHandler) {
        let channel = context.channel
        let pipeline = channel.pipeline.syncOperations
        do {
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try removeHTTPServer(from: pipeline)
            // From here on what is written goes out as it is: the handler may greet the client as soon as it is added.
            try pipeline.addHandler(makeHandler(channel.eventLoop, hasTLS), position: .after(decoder))
            // The decoder goes last: it hands what it has of the client's first frames to the handler.
            pipeline.removeHandler(decoder).assumeIsolated().whenSuccess {
                // The channel's own turn to read was swallowed while the router decided.
                pipeline.fireChannelReadComplete()
                channel.read()
            }
        } catch {
            logger.error("a connection could not be taken over", metadata: ["error": "\(error)"])
            channel.close(promise: nil)
        }
    }

    /// The reader of a stream says nothing, so it shows by what it acknowledges that it is there (RFC 5482).
    private func setUserTimeout(of channel: any Channel) {
        #if os(Linux)
        let milliseconds = Int(timeouts.unacknowledged.components.seconds) * 1000
        let option = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT))
        try? channel.syncOptions?.setOption(option, value: milliseconds)
        #endif
    }

    /// Takes out every handler of HTTP but the decoder, this one included.
    private func removeHTTPServer(from pipeline: ChannelPipeline.SynchronousOperations) throws {
        if let connectionState = try? pipeline.context(handlerType: HTTPConnectionStateHandler.self) {
            pipeline.removeHandler(context: connectionState, promise: nil)
        }
        pipeline.removeHandler(context: try pipeline.context(handlerType: HTTPResponseEncoder.self), promise: nil)
        pipeline.removeHandler(context: try pipeline.context(handlerType: HTTP1ToHTTPServerCodec.self), promise: nil)
        pipeline.removeHandler(context: try pipeline.context(handler: self), promise: nil)
    }

    /// Answers and ends the connection. The client's side stays open until it has read the answer, or the deadline.
    private func refuse(_ response: HTTPResponse, body: ByteBuffer) {
        guard let context else { return }
        state.end()
        var response = response
        response.headerFields[.connection] = "close"
        response.headerFields[.contentLength] = String(body.readableBytes)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(body)), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        if isReadHeldBack { context.read() }
    }
}

extension HTTPResponse {
    /// The head as it stands on the wire (RFC 9112 §2).
    fileprivate var head: [UInt8] {
        var head = Array("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n".utf8)
        for field in headerFields { head += Array("\(field.name.rawName): \(field.value)\r\n".utf8) }
        return head + Array("\r\n".utf8)
    }
}
