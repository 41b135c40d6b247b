import TestSupport
import Testing
import TidingsBroadcast
import TidingsTesting

@Suite("Backends keep the promises of BroadcastBackend", .timeLimit(.patience))
struct BackendConformanceTests {
    @Test("in memory", arguments: BroadcastBackendConformance.checks)
    func inMemory(_ check: ConformanceCheck<any BroadcastBackend>) async throws {
        try await check.run(against: InMemoryBroadcastBackend())
    }

    @Test("pushing to WebSockets, in memory underneath", arguments: BroadcastBackendConformance.checks)
    func webSocket(_ check: ConformanceCheck<any BroadcastBackend>) async throws {
        try await check.run(against: WebSocketBroadcastBackend())
    }

    @Test("only the backend that reaches clients says that it pushes")
    func supportsPush() {
        #expect(!InMemoryBroadcastBackend().supportsPush)
        #expect(WebSocketBroadcastBackend().supportsPush)
    }

    @Test("an event that the backend underneath refuses is not pushed")
    func refusedUnderneath() async throws {
        let underlying = InMemoryBroadcastBackend()
        let backend = WebSocketBroadcastBackend(underlying: underlying)
        let before = backend.hub.log.head()
        await underlying.close()
        await #expect(throws: BroadcastError.self) { try await backend.broadcast("updated", on: "order") }
        #expect(backend.hub.log.head() == before)
    }

    @Test("a payload over the limit is refused with its size")
    func payloadTooLarge() async throws {
        let backend = WebSocketBroadcastBackend()
        let payload: EventPayload = ["text": .string(String(repeating: "x", count: 64 * 1024))]
        let error = await #expect(throws: BroadcastError.self) {
            try await backend.broadcast("updated", on: "order", payload)
        }
        #expect(error?.code == .payloadTooLarge)
        #expect(error?.message.contains("\(payload.json.count)") == true)
    }
}
