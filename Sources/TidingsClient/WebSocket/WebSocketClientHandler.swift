import NIOCore
import TidingsCompression
import TidingsWire

/// Speaks RFC 6455 with a server: the last handler of a client's channel once the opening handshake is done.
///
/// Pings are answered, close frames too; a peer that breaks a rule is closed with the code for it. Whatever happens,
/// `closed` is the last thing that its owner hears, once.
final class WebSocketClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let closeTimeout: TimeAmount
    private let heard: () -> Void
    private let received: (WebSocketMessage) -> Void
    private let closed: (CloseCode, _ reason: String, CloseCode.Sender) -> Void
    /// nil where compression was not agreed on.
    private let deflater: MessageDeflater?
    private let inflater: MessageInflater?
    private var reader: WebSocketReader
    private var phase = Phase.open
    /// What arrived before ``start()``: at most what came in one read with the server's answer.
    private var early: ByteBuffer? = ByteBuffer()
    private var context: ChannelHandlerContext?

    private enum Phase {
        /// Messages go both ways.
        case open
        /// This side sent a close frame and waits for the server's, or for the end of the transport.
        case closing(CloseCode, reason: String)
        /// The owner was told.
        case closed
    }

    init(
        maximumMessageBytes: Int,
        compression: PerMessageDeflate?,
        closeTimeout: TimeAmount,
        heard: @escaping () -> Void,
        received: @escaping (WebSocketMessage) -> Void,
        closed: @escaping (CloseCode, _ reason: String, CloseCode.Sender) -> Void
    ) {
        self.closeTimeout = closeTimeout
        self.heard = heard
        self.received = received
        self.closed = closed
        deflater = compression.map { _ in MessageDeflater() }
        inflater = compression.map {
            MessageInflater(maximumMessageBytes: maximumMessageBytes, keepsContext: $0.serverKeepsContext)
        }
        reader = WebSocketReader(
            from: .server,
            maximumMessageBytes: maximumMessageBytes,
            allowsCompression: compression != nil
        )
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end(.abnormal, reason: "", by: .server)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .closing(let code, let reason) = phase {
            end(code, reason: reason, by: .client)
        } else {
            end(.abnormal, reason: "", by: .server)
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Lets messages through. Until then they wait: their owner has not heard yet that there is a connection.
    func start() {
        guard let early else { return }
        self.early = nil
        read(early)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heard()
        var buffer = unwrapInboundIn(data)
        if early?.writeBuffer(&buffer) == nil { read(buffer) }
    }

    private func read(_ buffer: ByteBuffer) {
        let violation = buffer.withUnsafeReadableBytes { bytes -> WebSocketViolation? in
            do throws(WebSocketViolation) {
                try reader.read(bytes) { message throws(WebSocketViolation) in
                    // Every message: a later one may refer back to one that nobody hears any more.
                    self.receive(try self.inflater?.restore(message) ?? message)
                }
                return nil
            } catch {
                return error
            }
        }
        if let violation { close(violation.code, reason: violation.reason) }
    }

    // MARK: - Sending

    /// Sends a message. After a close frame nothing is sent.
    func send(_ opcode: WebSocketOpcode, _ payload: [UInt8]) {
        guard case .open = phase else { return }
        write(opcode, payload)
    }

    /// Starts the closing handshake (RFC 6455 §7.1.2). The transport is closed when the server has answered, or has not
    /// in time.
    func close(_ code: CloseCode, reason: String) {
        guard case .open = phase, let context else { return }
        phase = .closing(code, reason: reason)
        let frame = WebSocketFrame.close(code, reason: reason, mask: Self.makeMask())
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame)), promise: nil)
        let channel = context.channel
        let timer = context.eventLoop.scheduleTask(in: closeTimeout) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timer.cancel() }
    }

    private func write(_ opcode: WebSocketOpcode, _ payload: [UInt8]) {
        let mask = Self.makeMask()
        let frame = deflater?.frame(opcode, payload, mask: mask) ?? WebSocketFrame.encode(opcode, payload, mask: mask)
        context?.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame)), promise: nil)
    }

    /// A key that a server cannot foresee (RFC 6455 §10.3). It is not a secret and not worth injecting.
    private static func makeMask() -> UInt32 {
        UInt32.random(in: 0...UInt32.max)
    }

    // MARK: - Receiving

    private func receive(_ message: WebSocketMessage) {
        switch (phase, message) {
        case (.open, .text), (.open, .binary), (.open, .pong):
            received(message)
        case (.open, .ping(let payload)):
            write(.pong, payload)
        case (.open, .close(let code, let reason)):
            let frame = WebSocketFrame.close(code, mask: Self.makeMask())
            context?.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame)), promise: nil)
            end(code, reason: reason, by: .server)
            context?.close(promise: nil)
        case (.closing(let code, let reason), .close):
            end(code, reason: reason, by: .client)
            context?.close(promise: nil)
        default:
            break
        }
    }

    private func end(_ code: CloseCode, reason: String, by sender: CloseCode.Sender) {
        if case .closed = phase { return }
        phase = .closed
        closed(code, reason, sender)
    }
}
