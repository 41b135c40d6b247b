import NIOCore
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("The last value of a feed", .timeLimit(.patience))
struct FeedSnapshotTests {
    @Test("is kept, however many other channels have one")
    func manyOthers() async throws {
        var configuration = BroadcastHub.Configuration()
        configuration.snapshotChannels = 8
        configuration.delivery = { _ in .snapshot }
        let hub = BroadcastHub(configuration: configuration)
        let feeds = FeedRegistry(WebSocketBroadcastBackend(hub: hub))
        let status = try feeds.declare("status", .events(of: Int.self))
        try await status.send(1)
        for number in 0..<100 {
            try hub.publish(BroadcastEvent(channel: ChannelName("cursor:\(number)"), name: "moved"))
        }
        let client = try await FeedClient.connect(hub, hearing: ["status"])
        #expect(try await client.receive() == [#"{"type":"status_update","data":1}"#])
        try await client.drop()
    }
}
