import Foundation
import NIOCore
import NIOPosix
import TestSupport
public import TidingsWire

/// A TCP connection that sends and receives bytes as a test writes them: what a well-behaved client would never send.
public final class RawConnection: Sendable {
    private let channel: any Channel
    private let inbox: Inbox<[UInt8]>

    private init(channel: any Channel, inbox: Inbox<[UInt8]>) {
        self.channel = channel
        self.inbox = inbox
    }

    /// Connects to a port of this machine.
    ///
    /// - Parameters:
    ///   - port: The port.
    ///   - receiveBuffer: The bytes that the system takes for a reader that does not read; nil: what it thinks best.
    public static func connect(port: Int, receiveBuffer: Int? = nil) async throws -> RawConnection {
        let inbox = Inbox<[UInt8]>()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        let channel =
            try await bootstrap
            .connectTimeout(TimeAmount(.patience))
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteReceiver(inbox: inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawConnection(channel: channel, inbox: inbox)
    }

    /// Stops to read, or reads again: while it does not, the other side's bytes wait in the system, and then there.
    public func setReading(_ reads: Bool) async throws {
        try await channel.setOption(.autoRead, value: reads).get()
        guard reads else { return }
        try await channel.setOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator()).get()
        channel.read()
    }

    /// Reads at a pace: so many bytes, then a pause of a second, until the task is cancelled.
    public func read(bytesPerSecond: Int) async throws {
        try await channel.setOption(.autoRead, value: false).get()
        try await channel.setOption(.maxMessagesPerRead, value: 1).get()
        let allocator = FixedSizeRecvByteBufferAllocator(capacity: bytesPerSecond)
        try await channel.setOption(.recvAllocator, value: allocator).get()
        while !Task.isCancelled {
            channel.read()
            try await Task.sleep(for: .seconds(1))
        }
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
        let deadline = ContinuousClock.now + .patience
        var text = ""
        while !text.contains(end) {
            guard let bytes = try await inbox.next(by: deadline) else {
                throw TestFailure("the connection ended after: \(text)")
            }
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
        let deadline = ContinuousClock.now + .patience
        var all: [UInt8] = []
        while let bytes = try await inbox.next(by: deadline) { all += bytes }
        return all
    }

    /// The code of the close frame that ends the connection; nil if it ends without one. Fails after a while.
    public func receiveCloseCode() async throws -> CloseCode? {
        var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20, allowsCompression: true)
        let deadline = ContinuousClock.now + .patience
        var code: CloseCode?
        while code == nil, let bytes = try await inbox.next(by: deadline) {
            try bytes.withUnsafeBytes { bytes in
                try reader.read(bytes) { message in
                    if case .close(let found, _) = message { code = found }
                }
            }
        }
        return code
    }

    /// Hands bytes to the system and does not wait until it takes them.
    public func sendWithoutWaiting(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Ends the connection with a reset, as a process does that dies with unread bytes.
    public func reset() async {
        if let options = channel as? any SocketOptionProvider {
            try? await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try? await channel.close()
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
