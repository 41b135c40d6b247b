import NIOCore
import NIOEmbedded
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

/// The same on the system's threads: what a manual executor hides.
@Suite("A log that is kept elsewhere, asked from tasks", .timeLimit(.patience))
struct RelayedTaskTests {
    @Test("clients on several loops each hear everything once, while a relay tells and the log is asked")
    func threads() async throws {
        let table = TableLog()
        let hub = BroadcastHub(configuration: .init())
        let relayed = hub.relay(table) { _ in true }
        table.commit(50)
        relayed.begin(after: EventPosition(epoch: "db1", offset: 40))
        let last: UInt64 = 400
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while let head = relayed.head, head.offset < last {
                    if table.position.offset < last { table.commit(5) }
                    relayed.deliver(Array(table.entries(after: head.offset).prefix(3)))
                    await Task.yield()
                }
            }
            for number: UInt64 in 0..<4 {
                group.addTask { try await Self.listen(to: hub, from: 10 * number, to: last) }
            }
            try await group.waitForAll()
        }
        #expect(await relayed.waitUntilDelivered(EventPosition(epoch: "db1", offset: last)))
    }

    private static func listen(to hub: BroadcastHub, from since: UInt64, to last: UInt64) async throws {
        let channel = NIOAsyncTestingChannel()
        let loop = channel.testingEventLoop
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1))
        try await loop.executeInContext {
            let handler = hub.makeSessionHandler(on: loop, speaking: .extended, writesDirectly: false)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        let request = ClientMessage(
            id: 1,
            subscribe: ["order"],
            since: ["order": EventPosition(epoch: "db1", offset: since)]
        )
        for text in Dialect.extended.encode(request) {
            try await channel.writeInbound(ByteBuffer(bytes: WebSocketFrame.encode(.text, text, mask: 1)))
        }
        var reader = WebSocketReader(from: .server, maximumMessageBytes: 1 << 20)
        var known = since
        while known < last {
            let buffer = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
            try reader.read(Array(buffer.readableBytesView)) { message in
                guard case .text(let text) = message, let found = Dialect.extended.decodeServerMessage(text) else {
                    return
                }
                if case .reply(let reply) = found { #expect(reply.subscribed.map(\.recovered) == [true]) }
                guard let offset = found.event?.position?.offset else { return }
                #expect(offset == known + 1)
                known = offset
            }
        }
        _ = try await channel.finish(acceptAlreadyClosed: true)
    }
}
