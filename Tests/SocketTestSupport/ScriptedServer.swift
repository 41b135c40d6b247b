import NIOCore
import NIOPosix
import TestSupport
import TidingsWire

/// A listener on 127.0.0.1 that says what a test wants, and not what a server should.
public final class ScriptedServer: Sendable {
    /// What is said to who has sent the head of a request.
    public enum Answer: Sendable {
        /// Nothing, and the connection stays.
        case silence
        /// These bytes; then the connection ends.
        case text(String)
        /// The other protocol (RFC 6455), in the extended dialect. Called with an empty text when the connection is open,
        /// then with each text that comes: what it gives is said.
        case webSocket(@Sendable (_ text: String) -> [String])
    }

    /// Where it listens.
    public let port: Int
    private let listener: any Channel

    /// Begins to listen.
    ///
    /// - Parameter answer: What is said, by the head of the request.
    public init(_ answer: @escaping @Sendable (_ head: String) -> Answer) async throws {
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Script(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = listener.localAddress?.port else { throw TestFailure("the server has no port") }
        self.port = port
    }

    deinit {
        listener.close(promise: nil)
    }

    /// An answer without a body.
    public static func status(_ line: String, _ headers: String...) -> Answer {
        let fields = (["Content-Length: 0"] + headers).joined(separator: "\r\n")
        return .text("HTTP/1.1 \(line)\r\n\(fields)\r\n\r\n")
    }
}

private final class Script: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answer: @Sendable (String) -> ScriptedServer.Answer
    private var head = ""
    private var speak: (@Sendable (String) -> [String])?
    private var reader = WebSocketReader(from: .client, maximumMessageBytes: 1 << 20)
    private var hasAnswered = false

    init(_ answer: @escaping @Sendable (String) -> ScriptedServer.Answer) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard !hasAnswered else { return hear(buffer, context) }
        head += String(decoding: buffer.readableBytesView, as: UTF8.self)
        guard head.contains("\r\n\r\n") else { return }
        hasAnswered = true
        switch answer(head) {
        case .silence: break
        case .text(let text):
            let channel = context.channel
            channel.writeAndFlush(ByteBuffer(string: text)).whenComplete { _ in channel.close(promise: nil) }
        case .webSocket(let speak):
            self.speak = speak
            write(Array(upgrade.utf8), context)
            say(speak(""), context)
        }
    }

    private var upgrade: String {
        let lines = head.split(separator: "\r\n")
        let name = "sec-websocket-key: "
        let key = lines.first { $0.lowercased().hasPrefix(name) }.map { String($0.dropFirst(name.count)) } ?? ""
        return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Protocol: tidings.v1\r\nSec-WebSocket-Accept: \(WebSocketHandshake.accept(key))\r\n\r\n"
    }

    private func hear(_ buffer: ByteBuffer, _ context: ChannelHandlerContext) {
        guard let speak else { return }
        var texts: [String] = []
        buffer.withUnsafeReadableBytes { bytes in
            try? reader.read(bytes) { message in
                if case .text(let text) = message { texts.append(String(decoding: text, as: UTF8.self)) }
            }
        }
        say(texts.flatMap(speak), context)
    }

    private func say(_ texts: [String], _ context: ChannelHandlerContext) {
        for text in texts { write(WebSocketFrame.encode(.text, Array(text.utf8)), context) }
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
