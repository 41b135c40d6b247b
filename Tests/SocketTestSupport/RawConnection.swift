import NIOCore
import NIOPosix

/// A TCP connection that sends and receives bytes as a test writes them: what a well-behaved client would never send.
public final class RawConnection: Sendable {
    private let channel: any Channel
    private let inbox: Inbox<[UInt8]>

    private init(channel: any Channel, inbox: Inbox<[UInt8]>) {
        self.channel = channel
        self.inbox = inbox
    }

    /// Connects to a port of this machine.
    public static func connect(port: Int) async throws -> RawConnection {
        let inbox = Inbox<[UInt8]>()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteReceiver(inbox: inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawConnection(channel: channel, inbox: inbox)
    }

    /// Sends a text.
    public func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    /// Sends bytes.
    public func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// What arrives until a text ends it. Fails if the connection ends first, or after a while.
    public func receive(until end: String) async throws -> String {
        var text = ""
        while !text.contains(end) {
            guard let bytes = try await inbox.next() else { throw TestFailure("the connection ended after: \(text)") }
            text += String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    /// The next bytes, or nil at the end of the connection. Fails after a while.
    public func receive() async throws -> [UInt8]? {
        try await inbox.next()
    }

    /// Everything until the other side ends the connection. Fails after a while.
    public func receiveAll() async throws -> [UInt8] {
        var all: [UInt8] = []
        while let bytes = try await inbox.next() { all += bytes }
        return all
    }

    /// Ends this side.
    public func close() async {
        try? await channel.close()
    }
}

private final class ByteReceiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let inbox: Inbox<[UInt8]>

    init(inbox: Inbox<[UInt8]>) {
        self.inbox = inbox
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        inbox.put(Array(unwrapInboundIn(data).readableBytesView))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { inbox.end() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        inbox.end()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        inbox.end()
        context.close(promise: nil)
    }
}
