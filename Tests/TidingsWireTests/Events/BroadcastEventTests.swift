import Foundation
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
        #expect(BroadcastEvent(channel: "order", name: .stale).isStale)
        #expect(!BroadcastEvent(channel: "order", name: .updated, payload: ["reason": "gap"]).isStale)
        #expect(BroadcastEvent(channel: "order", name: .stale, payload: ["reason": 1]).staleReason == nil)
    }

    @Test("An event that was only made has nothing to tell of its way")
    func bare() {
        for event in [BroadcastEvent(channel: "order", name: .created), .stale("order", reason: .gap)] {
            #expect(event.position == nil)
            #expect(event.spread == nil)
            #expect(event.traceID == nil)
            #expect(event.time == nil)
        }
    }

    @Test("Events are equal when they say the same, whatever their way was")
    func equality() {
        let event = BroadcastEvent(channel: "order", name: .created, payload: ["entity_id": "1"])
        var published = event
        published.position = EventPosition(epoch: "k3f9", offset: 41)
        published.spread = .milliseconds(250)
        published.traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
        published.time = Date(timeIntervalSince1970: 1_000_000)
        #expect(published == event)
        #expect(Set([published]).contains(event))
        #expect(published.position?.offset == 41)
        let others = [
            BroadcastEvent(channel: "contact", name: .created, payload: ["entity_id": "1"]),
            BroadcastEvent(channel: "order", name: .updated, payload: ["entity_id": "1"]),
            BroadcastEvent(channel: "order", name: .created, payload: ["entity_id": "2"]),
        ]
        #expect(others.allSatisfy { $0 != event })
        #expect(Set(others + [event, published]).count == 4)
    }

    @Test("A description tells channel and name and not the payload")
    func descriptions() {
        var event = BroadcastEvent(channel: "order:7", name: .updated, payload: ["secret": "secret"])
        event.traceID = "secret"
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
