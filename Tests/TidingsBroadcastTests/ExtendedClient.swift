import NIOCore
import NIOEmbedded
import TidingsWire

@testable import TidingsBroadcast

/// A client that speaks the extended dialect at the other end of an embedded channel.
final class ExtendedClient {
    private let channel: EmbeddedChannel
    private var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20)

    init(_ hub: BroadcastHub, _ loop: EmbeddedEventLoop) throws {
        channel = EmbeddedChannel(loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let handler = hub.makeSessionHandler(on: loop, speaking: .extended, writesDirectly: false)
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    func send(_ message: ClientMessage) throws {
        for text in Dialect.extended.encode(message) { try sendText(String(decoding: text, as: UTF8.self)) }
    }

    func sendText(_ text: String) throws {
        try channel.writeInbound(ByteBuffer(bytes: WebSocketFrame.encode(.text, Array(text.utf8), mask: 77)))
    }

    func drop() throws {
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    func receive() throws -> [ServerMessage] {
        var messages: [ServerMessage] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            try reader.read(Array(buffer.readableBytesView)) { message in
                guard case .text(let text) = message, let found = Dialect.extended.decodeServerMessage(text) else {
                    return
                }
                messages.append(found)
            }
        }
        return messages
    }
}

extension ServerMessage {
    var event: BroadcastEvent? {
        guard case .event(let event) = self else { return nil }
        return event
    }
}
