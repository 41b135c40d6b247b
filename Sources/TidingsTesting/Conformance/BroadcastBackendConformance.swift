import Synchronization
public import TidingsBroadcast
import TidingsWire

/// What every ``TidingsBroadcast/BroadcastBackend`` promises.
public enum BroadcastBackendConformance {
    /// Each check needs a backend of its own: open, and with nobody subscribed.
    public static let checks: [ConformanceCheck<any BroadcastBackend>] = [
        everySubscriberOfTheChannel, onlyTheChannel, orderOfOneCaller, nothingBeforeSubscribing,
        nothingAfterUnsubscribing, oneOfTwoSubscriptions, unsubscribingTwice, payloadsByteForByte, withoutSubscribers,
        subscribingWithinAHandler, manyAtOnce, oneAtATime, health, closing,
    ]

    private static let everySubscriberOfTheChannel = check("an event reaches every subscriber of its channel once") {
        backend in
        let recorders = [EventRecorder(), EventRecorder(), EventRecorder()]
        for recorder in recorders { _ = try await backend.subscribe(to: "order", handler: recorder.handler) }
        try await backend.broadcast("created", on: "order", ["entity_id": "1"])
        try await backend.broadcast("end", on: "order")
        for recorder in recorders {
            try expect(try await recorder.events(atLeast: 2).map(\.name), ["created", "end"], "events of a subscriber")
        }
    }

    private static let onlyTheChannel = check("a subscriber hears its channel and no other") { backend in
        let recorder = EventRecorder()
        _ = try await backend.subscribe(to: "order", handler: recorder.handler)
        for channel: ChannelName in ["orders", "Order", "order:1", "contact", "order"] {
            try await backend.broadcast("updated", on: channel)
        }
        try expect(try await recorder.events(atLeast: 1).map(\.channel), ["order"], "channels heard")
    }

    private static let orderOfOneCaller = check("the events of one caller keep their order") { backend in
        let recorder = EventRecorder()
        _ = try await backend.subscribe(to: "order", handler: recorder.handler)
        let sent = try (0..<200).map { BroadcastEvent(channel: "order", name: try EventName("event-\($0)")) }
        for event in sent { try await backend.broadcast(event) }
        try expect(try await recorder.events(atLeast: sent.count), sent, "events in order")
    }

    private static let nothingBeforeSubscribing = check("what happened before subscribing is not heard") { backend in
        try await backend.broadcast("before", on: "order")
        let recorder = EventRecorder()
        _ = try await backend.subscribe(to: "order", handler: recorder.handler)
        try await backend.broadcast("after", on: "order")
        try expect(try await recorder.events(atLeast: 1).map(\.name), ["after"], "events heard")
    }

    private static let nothingAfterUnsubscribing = check("what happens after unsubscribing is not heard") { backend in
        let (ended, other) = (EventRecorder(), EventRecorder())
        let subscription = try await backend.subscribe(to: "order", handler: ended.handler)
        _ = try await backend.subscribe(to: "order", handler: other.handler)
        try await backend.broadcast("before", on: "order")
        _ = try await ended.events(atLeast: 1)
        await backend.unsubscribe(subscription)
        try await backend.broadcast("after", on: "order")
        _ = try await other.events(atLeast: 2)
        try expect(ended.events.map(\.name), ["before"], "events heard")
    }

    private static let oneOfTwoSubscriptions = check("unsubscribing ends one subscription of several") { backend in
        let recorder = EventRecorder()
        let first = try await backend.subscribe(to: "order", handler: recorder.handler)
        let second = try await backend.subscribe(to: "order", handler: recorder.handler)
        try await backend.broadcast("twice", on: "order")
        _ = try await recorder.events(atLeast: 2)
        await backend.unsubscribe(first)
        try await backend.broadcast("once", on: "order")
        try expect(try await recorder.events(atLeast: 3).map(\.name), ["twice", "twice", "once"], "events heard")
        await backend.unsubscribe(second)
    }

    private static let unsubscribingTwice = check("unsubscribing twice does nothing") { backend in
        let recorder = EventRecorder()
        let ended = try await backend.subscribe(to: "order", handler: { _ in })
        await backend.unsubscribe(ended)
        _ = try await backend.subscribe(to: "order", handler: recorder.handler)
        await backend.unsubscribe(ended)
        try await backend.broadcast("updated", on: "order")
        try expect(try await recorder.events(atLeast: 1).count, 1, "events heard")
    }

    private static let payloadsByteForByte = check("payloads arrive byte for byte") { backend in
        let recorder = EventRecorder()
        _ = try await backend.subscribe(to: "küche:7", handler: recorder.handler)
        let payload = try EventPayload(
            json: Array(#"{ "b":1,  "a":"é\u00e9🍔\n", "n":1.50, "deep":[[{"x":null}]] }"#.utf8)
        )
        try await backend.broadcast(BroadcastEvent(channel: "küche:7", name: "updated", payload: payload))
        let received = try await recorder.events(atLeast: 1)
        try expect(received.first?.payload.json, payload.json, "the payload")
    }

    private static let withoutSubscribers = check("an event that nobody listens for is no error") { backend in
        try await backend.broadcast("updated", on: "nobody")
    }

    private static let subscribingWithinAHandler = check("a handler may start other work on the backend") { backend in
        let (outer, inner) = (EventRecorder(), EventRecorder())
        _ = try await backend.subscribe(to: "inner", handler: inner.handler)
        _ = try await backend.subscribe(to: "order") { event in
            outer.handler(event)
            // The handler's own thread must not be needed for this to end.
            Task { try await backend.broadcast("from-handler", on: "inner") }
        }
        try await backend.broadcast("updated", on: "order")
        _ = try await outer.events(atLeast: 1)
        try expect(try await inner.events(atLeast: 1).map(\.name), ["from-handler"], "events from within")
    }

    private static let manyAtOnce = check("callers at the same time lose nothing") { backend in
        let recorder = EventRecorder()
        _ = try await backend.subscribe(to: "order", handler: recorder.handler)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<8 {
                group.addTask {
                    for number in 0..<50 { try await backend.broadcast(EventName("c\(caller)-\(number)"), on: "order") }
                }
            }
            try await group.waitForAll()
        }
        let names = try await recorder.events(atLeast: 400).map(\.name.rawValue)
        try expect(Set(names).count, 400, "different events")
        try expect(names.count, 400, "events")
        for caller in 0..<8 {
            let own = names.filter { $0.hasPrefix("c\(caller)-") }
            try expect(own, (0..<50).map { "c\(caller)-\($0)" }, "the order of one caller among others")
        }
    }

    private static let oneAtATime = check("a handler is called for one event at a time") { backend in
        let (recorder, visits) = (EventRecorder(), Visits())
        _ = try await backend.subscribe(to: "order") { event in
            visits.visit()
            recorder.handler(event)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<50 { try await backend.broadcast("updated", on: "order") } }
            }
            try await group.waitForAll()
        }
        _ = try await recorder.events(atLeast: 400)
        try expect(visits.mostAtOnce, 1, "calls at the same time")
    }

    private static let health = check("an open backend is healthy") { backend in
        try await backend.checkHealth()
    }

    private static let closing = check("a closed backend refuses work and can be closed again") { backend in
        await backend.close()
        await backend.close()
        try await expectClosed("broadcasting") { try await backend.broadcast("updated", on: "order") }
        try await expectClosed("subscribing") { _ = try await backend.subscribe(to: "order", handler: { _ in }) }
        try await expectClosed("the health check") { try await backend.checkHealth() }
    }

    private static func expectClosed(_ what: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as BroadcastError {
            return try expect(error.code, .closed, "the error of \(what) after closing")
        }
        throw ConformanceFailure("\(what) succeeded after closing")
    }

    private static func check(
        _ description: String,
        _ body: @escaping @Sendable (any BroadcastBackend) async throws -> Void
    ) -> ConformanceCheck<any BroadcastBackend> {
        ConformanceCheck(description, body: body)
    }
}

/// Counts who is in it at the same time.
private final class Visits: Sendable {
    private let inside = Atomic(0)
    private let most = Atomic(0)

    var mostAtOnce: Int { most.load(ordering: .relaxed) }

    func visit() {
        most.max(inside.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
        // Long enough for another one to come.
        for _ in 0..<20_000 { most.max(inside.load(ordering: .relaxed), ordering: .relaxed) }
        inside.subtract(1, ordering: .relaxed)
    }
}
