import NIOEmbedded
import Testing
import TidingsTesting
import TidingsWire

@testable import TidingsBroadcast

@Suite("An event on several channels")
struct BroadcastChannelsTests {
    @Test("is told once on each, also on one that is named twice")
    func once() async throws {
        let (backend, loop, recorder) = (WebSocketBroadcastBackend(), EmbeddedEventLoop(), EventRecorder())
        _ = try await backend.subscribe(to: "order", handler: recorder.handler)
        let client = try ExtendedClient(backend.hub, loop)
        try client.subscribe("order", "order:1")
        _ = try client.receive()
        let event = BroadcastEvent(channel: "order", name: "updated")
        try await backend.broadcast(event, alsoOn: ["order:1", "order", "order:1"])
        try await backend.broadcast("end", on: "order")
        loop.run()
        let told = try client.receive().compactMap(\.event)
        #expect(told.count == 3)
        #expect(told.filter { $0.channel == "order" }.map(\.name) == ["updated", "end"])
        #expect(recorder.events.map(\.name) == ["updated", "end"])
        let start = EventPosition(epoch: backend.hub.log.head().epoch, offset: 0)
        guard case .events(let kept, _) = backend.hub.log.events(on: "order", after: start) else {
            Issue.record("nothing is kept")
            return
        }
        #expect(kept.map(\.name) == ["updated", "end"])
        try client.drop()
    }
}
