import NIOCore
import NIOEmbedded
import Testing
import TidingsBroadcast
import TidingsWire

/// A client at the other end of a hub's session, in the extended dialect. One task at a time uses it.
final class Listener {
    private let channel: NIOAsyncTestingChannel
    private var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20)
    private var messages: [ServerMessage] = []

    init(_ hub: BroadcastHub, as identity: Identity? = nil) async throws {
        let loop = NIOAsyncTestingEventLoop()
        channel = NIOAsyncTestingChannel(loop: loop)
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        let credentials = identity.map(Result<Identity, AuthenticationError>.success)
        try await loop.executeInContext { [channel] in
            let handler = hub.makeSessionHandler(
                on: loop,
                speaking: .extended,
                credentials: credentials,
                writesDirectly: false
            )
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        guard case .welcome = try await next() else {
            Issue.record("no welcome")
            return
        }
    }

    /// The next message, whenever it comes.
    func next() async throws -> ServerMessage {
        while messages.isEmpty {
            let buffer = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
            var texts: [[UInt8]] = []
            try buffer.withUnsafeReadableBytes { bytes in
                try reader.read(bytes) { if case .text(let text) = $0 { texts.append(text) } }
            }
            messages += texts.compactMap(Dialect.extended.decodeServerMessage)
        }
        return messages.removeFirst()
    }

    /// The next message, which has to be an event.
    func event() async throws -> BroadcastEvent {
        let message = try await next()
        guard case .event(let event) = message else {
            Issue.record("\(message) instead of an event")
            throw CancellationError()
        }
        return event
    }

    /// The next event; nil if none has come up to now.
    func eventOrNothing() async throws -> BroadcastEvent? {
        if messages.isEmpty { try await send(ClientMessage(id: 3, ping: 1)) }
        guard case .event(let event) = try await next() else { return nil }
        return event
    }

    func send(_ message: ClientMessage) async throws {
        for text in Dialect.extended.encode(message) {
            try await channel.writeInbound(ByteBuffer(bytes: WebSocketFrame.encode(.text, text, mask: 77)))
        }
    }

    /// Subscribes, and gives the answer.
    @discardableResult
    func subscribe(
        _ channels: ChannelName...,
        since positions: [ChannelName: EventPosition] = [:]
    ) async throws -> ServerReply {
        try await send(ClientMessage(id: 1, subscribe: channels, since: positions))
        let message = try await next()
        guard case .reply(let reply) = message else {
            Issue.record("\(message) instead of a reply")
            throw CancellationError()
        }
        return reply
    }

    /// Expects that nothing came up to now.
    func expectNothing(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await send(ClientMessage(id: 2, ping: 1))
        let message = try await next()
        guard case .reply(let reply) = message, reply.pong == 1 else {
            Issue.record("\(message) came", sourceLocation: sourceLocation)
            return
        }
    }

    /// The connection is lost.
    func drop() async throws {
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }
}
