import Testing
import TidingsWire

@Suite("BroadcastEvent")
struct BroadcastEventTests {
    @Test("An event without a payload has the empty object")
    func noPayload() {
        let event = BroadcastEvent(channel: "order", name: .created)
        #expect(event.payload.json == Array("{}".utf8))
        #expect(event.staleReason == nil)
    }

    @Test(
        "A stale event says why",
        arguments: [.gap, .epoch, .lagged, .backendRestored, .setAside, StaleReason(rawValue: "later")] as [StaleReason]
    )
    func stale(reason: StaleReason) {
        let event = BroadcastEvent.stale("order:7", reason: reason)
        #expect(event.channel == "order:7")
        #expect(event.name == .stale)
        #expect(event.payload == ["reason": .string(reason.rawValue)])
        #expect(event.payload.entityID == nil)
        #expect(event.staleReason == reason)
    }

    @Test("Only a stale event has a reason")
    func noReason() {
        #expect(BroadcastEvent(channel: "order", name: .updated, payload: ["reason": "gap"]).staleReason == nil)
        #expect(BroadcastEvent(channel: "order", name: .stale).staleReason == nil)
        #expect(BroadcastEvent(channel: "order", name: .stale, payload: ["reason": 1]).staleReason == nil)
    }

    @Test("A description tells channel and name and not the payload")
    func descriptions() {
        let event = BroadcastEvent(channel: "order:7", name: .updated, payload: ["secret": "secret"])
        #expect("\(event)" == "order:7 updated")
        let descriptions = [
            String(reflecting: event), "\([event])", "\(ServerMessage.event(event))",
            String(reflecting: ServerMessage.event(event)),
        ]
        for description in descriptions {
            #expect(description.contains("order:7 updated"))
            #expect(!description.contains("secret"))
        }
    }
}
