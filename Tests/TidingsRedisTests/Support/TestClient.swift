import NIOCore
import NIOPosix
import SocketTestSupport
import Synchronization
import TestSupport
import TidingsWire

/// A client that speaks the extended dialect on a socket.
final class TestClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox<ServerMessage>
    private let lastIdentifier = Atomic(0)

    private init(_ channel: any Channel, _ inbox: Inbox<ServerMessage>) {
        self.channel = channel
        self.inbox = inbox
    }

    /// Connects to a node.
    ///
    /// - Parameter opens: Whether the node wants an opening handshake.
    static func connect(port: Int, opens: Bool = false) async throws -> TestClient {
        let inbox = Inbox<ServerMessage>()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(TimeAmount(.patience))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(MessageReceiver(inbox, opens: opens))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return TestClient(channel, inbox)
    }

    func send(_ message: ClientMessage) {
        for text in Dialect.extended.encode(message) {
            channel.writeAndFlush(ByteBuffer(bytes: WebSocketFrame.encode(.text, text, mask: 77)), promise: nil)
        }
    }

    /// What comes next.
    func next(within timeout: Duration = .patience) async throws -> ServerMessage {
        guard let message = try await inbox.next(within: timeout) else { throw TestFailure("the connection has ended") }
        return message
    }

    /// The reply to a message.
    func ask(_ message: ClientMessage) async throws -> ServerReply {
        var message = message
        message.id = RequestIdentifier(lastIdentifier.add(1, ordering: .relaxed).newValue)
        send(message)
        guard case .reply(let reply) = try await next() else { throw TestFailure("something came before the reply") }
        return reply
    }

    /// Subscribes to a channel.
    @discardableResult
    func subscribe(_ channel: ChannelName, since: EventPosition? = nil) async throws -> SubscribedChannel {
        let reply = try await ask(ClientMessage(subscribe: [channel], since: since.map { [channel: $0] } ?? [:]))
        guard let subscribed = reply.subscribed.first else { throw TestFailure("\(channel) was refused") }
        return subscribed
    }

    /// The events that come next, so many of them.
    func events(_ count: Int) async throws -> [BroadcastEvent] {
        var events: [BroadcastEvent] = []
        while events.count < count { events.append(try await event()) }
        return events
    }

    /// The event that comes next.
    func event() async throws -> BroadcastEvent {
        guard case .event(let event) = try await next() else { throw TestFailure("something else than an event came") }
        return event
    }

    func drop() async {
        try? await channel.close().get()
    }
}

private final class MessageReceiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let inbox: Inbox<ServerMessage>
    private var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20)

    /// The answer to the handshake, as far as it has come; nil after it.
    private var answer: String?

    init(_ inbox: Inbox<ServerMessage>, opens: Bool) {
        self.inbox = inbox
        answer = opens ? "" : nil
    }

    func channelActive(context: ChannelHandlerContext) {
        guard answer != nil else { return }
        let request =
            "GET /ws/broadcast HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Protocol: tidings.v1\r\n\r\n"
        context.writeAndFlush(NIOAny(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        while answer != nil, let byte = buffer.readInteger(as: UInt8.self) {
            answer?.unicodeScalars.append(Unicode.Scalar(byte))
            if answer?.hasSuffix("\r\n\r\n") == true { answer = nil }
        }
        guard buffer.readableBytes > 0 else { return }
        buffer.withUnsafeReadableBytes { bytes in
            try? reader.read(bytes) { message in
                guard case .text(let text) = message, let message = Dialect.extended.decodeServerMessage(text) else {
                    return
                }
                inbox.put(message)
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        inbox.end()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
