import NIOCore
import NIOEmbedded
import TestSupport
import TidingsWire

@testable import TidingsBroadcast

/// The reader of an event stream at the other end of an embedded channel.
final class StreamClient {
    static let head = "HTTP/1.1 200 OK\r\n\r\n"

    let channel: EmbeddedChannel
    private(set) var reader = EventStreamReader()
    private var hasHead = false

    init(
        _ hub: BroadcastHub,
        _ loop: EmbeddedEventLoop,
        hearing channels: [ChannelName],
        after lastEventID: String? = nil,
        identity: Identity? = nil,
        refused: [WireError] = []
    ) throws {
        channel = EmbeddedChannel(loop: loop)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        let opening = EventStreamOpening(
            granted: channels,
            refused: refused,
            identity: identity,
            lastEventID: lastEventID.map { LastEventID($0) }
        )
        let handler = hub.makeEventStreamHandler(
            on: loop,
            opening: opening,
            head: ByteBuffer(string: Self.head),
            writesDirectly: false
        )
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// The text that has come since it was asked last, without the head.
    func text() throws -> String {
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += Array(buffer.readableBytesView) }
        let text = String(decoding: bytes, as: UTF8.self)
        guard !hasHead, text.hasPrefix(Self.head) else { return text }
        hasHead = true
        return String(text.dropFirst(Self.head.count))
    }

    func receive() throws -> [EventStreamReader.Message] {
        reader.read(Array(try text().utf8))
    }

    func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    func drop() throws {
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}

extension EventStreamReader.Message {
    var event: BroadcastEvent? { Dialect.plain.decodeServerMessage(Array(data.utf8))?.event }
    /// The number in the payload.
    var number: Int? { event.flatMap { try? $0.payload.decode([String: Int].self)["n"] } }
}
