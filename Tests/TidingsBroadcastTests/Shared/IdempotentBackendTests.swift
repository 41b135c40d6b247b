import Testing
import TidingsBroadcast
import TidingsTesting
import TidingsWire

@Suite("A backend that publishes once")
struct IdempotentBackendTests {
    @Test("the checks hold for one in memory", arguments: IdempotentBackendConformance.checks)
    func conforms(_ check: ConformanceCheck<any IdempotentBroadcastBackend>) async throws {
        try await check.run(against: ManualSharedBackend())
    }

    @Test("the hub's backend hands a key on, and says whether anybody knows it")
    func underneath() async throws {
        let shared = ManualSharedBackend()
        let broadcast = WebSocketBroadcastBackend(underlying: shared, hub: BroadcastHub())
        #expect(broadcast.publishesOnce)
        #expect(!WebSocketBroadcastBackend().publishesOnce)
        let event = BroadcastEvent(channel: "order", name: "created")
        let key = PublishingKey(request: "r", fingerprint: "f", retention: .seconds(60))
        let first = try await broadcast.publish(event, once: key)
        #expect(try await broadcast.publish(event, once: key) == first)
        #expect(shared.published.count == 1)
        #expect(try await broadcast.publish(event) != first)
        await broadcast.close()
    }
}
