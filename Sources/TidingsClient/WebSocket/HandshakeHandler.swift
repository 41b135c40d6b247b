import FoundationEssentials
import NIOCore
import NIOHTTP1
import TidingsCompression
import TidingsWire

/// Sends a client's opening handshake and reads the server's answer (RFC 6455 §4.1).
///
/// Succeeds, with the subprotocol that the server chose, when the server has switched; this handler and HTTP's are then
/// gone from the pipeline, and what the server sent behind its answer is on its way to the next handler.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let endpoint: WebSocketEndpoint
    private let key: String
    private let subprotocols: [String]
    private let headers: [(name: String, value: String)]
    private let done: EventLoopPromise<String?>
    private let offersCompression: Bool
    private let makeHandler: (PerMessageDeflate?) -> WebSocketClientHandler
    private var head: HTTPResponseHead?
    private var body = ByteBuffer()
    private var succeeded = false

    init(
        endpoint: WebSocketEndpoint,
        key: String,
        subprotocols: [String],
        headers: [(name: String, value: String)],
        offersCompression: Bool,
        done: EventLoopPromise<String?>,
        makeHandler: @escaping (PerMessageDeflate?) -> WebSocketClientHandler
    ) {
        self.endpoint = endpoint
        self.key = key
        self.subprotocols = subprotocols
        self.headers = headers
        self.offersCompression = offersCompression
        self.done = done
        self.makeHandler = makeHandler
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { sendRequest(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        sendRequest(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        done.fail(HandshakeMismatch(description: "the server closed the connection during the handshake"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        done.fail(error)
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if !succeeded { done.fail(ChannelError.ioOnClosedChannel) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
        case .body(var part):
            // Enough for the problem's details; the rest is of no interest.
            if body.readableBytes < Self.maximumDetailBytes { body.writeBuffer(&part) }
        case .end:
            guard let head else { return }
            finish(head, context: context)
        }
    }

    private static let maximumDetailBytes = 16 * 1024

    private func sendRequest(_ context: ChannelHandlerContext) {
        var headers: HTTPHeaders = [
            "Host": endpoint.authority,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": WebSocketHandshake.version,
        ]
        if !subprotocols.isEmpty {
            headers.add(name: "Sec-WebSocket-Protocol", value: subprotocols.joined(separator: ", "))
        }
        if offersCompression { headers.add(name: "Sec-WebSocket-Extensions", value: PerMessageDeflate.offer) }
        headers.add(contentsOf: self.headers.map { ($0.name, $0.value) })
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: endpoint.target, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func finish(_ head: HTTPResponseHead, context: ChannelHandlerContext) {
        guard head.status == .switchingProtocols else {
            done.fail(HandshakeRefusal(status: Int(head.status.code), code: problem?.code, detail: problem?.detail))
            return context.close(promise: nil)
        }
        guard head.headers.first(name: "Upgrade")?.lowercased() == "websocket",
            WebSocketHandshake.list(head.headers.first(name: "Connection") ?? "", has: "upgrade"),
            head.headers.first(name: "Sec-WebSocket-Accept") == WebSocketHandshake.accept(key),
            head.headers.first(name: "Sec-WebSocket-Protocol").map(subprotocols.contains) ?? true
        else {
            done.fail(HandshakeMismatch(description: "the server's handshake does not match the request"))
            return context.close(promise: nil)
        }
        do {
            let compression = try PerMessageDeflate.agreement(with: head.headers["Sec-WebSocket-Extensions"])
            guard compression == nil || offersCompression else {
                throw HandshakeMismatch(description: "the server chose an extension that was not offered")
            }
            let handler = makeHandler(compression)
            try switchProtocols(context.channel, to: handler, head.headers.first(name: "Sec-WebSocket-Protocol"))
        } catch {
            done.fail(error)
            context.close(promise: nil)
        }
    }

    /// Takes HTTP out of the pipeline. The decoder goes last and hands the bytes behind the answer to whoever is next;
    /// until it is gone it takes every write for a part of a request, so only then may the owner hear of the connection.
    private func switchProtocols(
        _ channel: any Channel,
        to handler: WebSocketClientHandler,
        _ subprotocol: String?
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPResponseDecoder>.self)
        try pipeline.addHandler(handler)
        succeeded = true
        pipeline.removeHandler(context: try pipeline.context(handlerType: HTTPRequestEncoder.self), promise: nil)
        pipeline.removeHandler(context: try pipeline.context(handler: self), promise: nil)
        pipeline.removeHandler(context: decoder).assumeIsolated().whenComplete { [done] result in
            done.completeWith(result.map { subprotocol })
            handler.start()
        }
    }

    private var problem: Problem? {
        try? JSONDecoder().decode(Problem.self, from: Data(body.readableBytesView))
    }

    /// Problem details (RFC 9457).
    private struct Problem: Decodable {
        let code: String?
        let detail: String?
    }
}
