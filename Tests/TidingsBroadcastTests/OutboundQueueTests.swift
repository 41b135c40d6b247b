import NIOCore
import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("What waits for a slow reader")
struct OutboundQueueTests {
    @Test("a newer signal about the same entity takes the place of an older one, at the end")
    func supersedes() {
        let queue = OutboundQueue(maximumBytes: 10_000, maximumSignals: 10)
        _ = queue.append(signal("order", .updated, entity: "1", version: 1))
        _ = queue.append(signal("order", .updated, entity: "2", version: 1))
        _ = queue.append(signal("order", .updated, entity: "1", version: 2))
        #expect(queue.count == 2)
        #expect(drain(queue).map(\.description) == ["order updated 2 v1", "order updated 1 v2"])
    }

    @Test("another name, another channel or another entity is another signal")
    func keepsOthers() {
        let queue = OutboundQueue(maximumBytes: 10_000, maximumSignals: 10)
        _ = queue.append(signal("order", .updated, entity: "1", version: 1))
        _ = queue.append(signal("order", .deleted, entity: "1", version: 2))
        _ = queue.append(signal("order:1", .updated, entity: "1", version: 1))
        _ = queue.append(signal("order", .updated, entity: "2", version: 1))
        #expect(queue.count == 4)
    }

    @Test("events about no single entity are all kept")
    func keepsEventsWithoutEntity() {
        let queue = OutboundQueue(maximumBytes: 10_000, maximumSignals: 10)
        for version in 1...3 { _ = queue.append(signal("order", "imported", entity: nil, version: version)) }
        #expect(drain(queue).map(\.version) == [1, 2, 3])
    }

    @Test("past the number of signals a channel collapses into one stale event, and another channel does not")
    func collapsesByCount() {
        let queue = OutboundQueue(maximumBytes: 100_000, maximumSignals: 5)
        _ = queue.append(signal("contact", .updated, entity: "c", version: 1))
        for number in 0..<20 { _ = queue.append(signal("order", .updated, entity: "\(number)", version: 1)) }
        #expect(drain(queue).map(\.description) == ["contact updated c v1", "order stale lagged"])
        #expect(queue.isEmpty)
        #expect(queue.bytes == 0)
    }

    @Test("past the bytes the channel that takes the most collapses")
    func collapsesByBytes() {
        let queue = OutboundQueue(maximumBytes: 2000, maximumSignals: 1000)
        _ = queue.append(signal("contact", .updated, entity: "c", version: 1))
        for number in 0..<100 { _ = queue.append(signal("order", .updated, entity: "\(number)", version: 1)) }
        #expect(queue.bytes <= 2000)
        #expect(drain(queue).map(\.description) == ["contact updated c v1", "order stale lagged"])
    }

    @Test("after the stale event was read the channel's signals are kept again")
    func recovers() {
        let queue = OutboundQueue(maximumBytes: 10_000, maximumSignals: 2)
        for number in 0..<5 { _ = queue.append(signal("order", .updated, entity: "\(number)", version: 1)) }
        _ = drain(queue)
        _ = queue.append(signal("order", .updated, entity: "9", version: 1))
        #expect(drain(queue).map(\.description) == ["order updated 9 v1"])
    }

    @Test("what waits for a channel that was given up is forgotten")
    func forgets() {
        let queue = OutboundQueue(maximumBytes: 10_000, maximumSignals: 10)
        _ = queue.append(signal("order", .updated, entity: "1", version: 1))
        _ = queue.append(signal("contact", .updated, entity: "2", version: 1))
        _ = queue.append(signal("order", .updated, entity: "3", version: 1))
        queue.removeAll(of: "order")
        #expect(drain(queue).map(\.description) == ["contact updated 2 v1"])
    }

    @Test("of a snapshot only the newest waits")
    func snapshot() {
        let queue = OutboundQueue(maximumBytes: 10_000, maximumSignals: 10)
        for version in 1...50 {
            let fits = queue.append(signal("feed:status", "update", entity: nil, version: version, delivery: .snapshot))
            #expect(fits)
        }
        #expect(drain(queue).map(\.version) == [50])
    }

    @Test("of a stream everything waits, in order, until it is more than may wait")
    func stream() {
        let queue = OutboundQueue(maximumBytes: 2000, maximumSignals: 2)
        var kept = 0
        while queue.append(signal("log", "line", entity: "same", version: kept + 1, delivery: .stream)) { kept += 1 }
        #expect(kept > 10)
        #expect(drain(queue).prefix(kept).map(\.version) == Array(1...kept))
    }

    @Test("signals give way before a stream does")
    func signalsGiveWay() {
        let queue = OutboundQueue(maximumBytes: 1500, maximumSignals: 100)
        for entity in 0..<15 { _ = queue.append(signal("order", .updated, entity: "\(entity)", version: 1)) }
        for version in 1...10 {
            let fits = queue.append(signal("log", "line", entity: nil, version: version, delivery: .stream))
            #expect(fits)
        }
        let signals = drain(queue)
        #expect(signals.filter(\.isStale).map(\.description) == ["order stale lagged"])
        #expect(signals.filter { $0.channel == "log" }.map(\.version) == Array(1...10))
    }

    /// Whatever comes and whenever something is read: memory is bounded, and at rest the reader has seen the newest
    /// version of every entity, or was told after it that the channel is stale.
    @Test("a reader holds the newest hint of every entity in the end", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func randomWalk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let queue = OutboundQueue(maximumBytes: 3000, maximumSignals: 12)
        let channels: [ChannelName] = ["a", "b", "c"]
        var truth: [String: Int] = [:]
        var seen: [String: Int] = [:]
        func read(_ signal: Signal) {
            if signal.isStale {
                for (key, version) in truth where key.hasPrefix("\(signal.channel)/") { seen[key] = version }
            } else {
                let key = "\(signal.channel)/\(signal.entity ?? "")"
                #expect(signal.version >= seen[key, default: 0], "a version went back, seed \(seed)")
                seen[key] = signal.version
            }
        }
        for step in 0..<5000 {
            if Int.random(in: 0..<3, using: &random) > 0 {
                let channel = try #require(channels.randomElement(using: &random))
                let entity = "\(Int.random(in: 0..<(step / 1000 * 5 + 3), using: &random))"
                truth["\(channel)/\(entity)", default: 0] += 1
                _ = queue.append(signal(channel, .updated, entity: entity, version: truth["\(channel)/\(entity)"] ?? 0))
            } else if let frame = queue.popFirst() {
                read(Signal(frame))
            }
            #expect(queue.bytes <= 3000)
            #expect(queue.count <= 3 * 13)
        }
        for signal in drain(queue) { read(signal) }
        #expect(seen == truth, "seed \(seed)")
    }

    // MARK: Parts

    private struct Signal {
        let channel: ChannelName
        let name: EventName
        let payload: EventPayload

        init(_ frame: ByteBuffer) {
            var reader = WebSocketReader(from: .server, maximumMessageBytes: 100_000)
            var event: BroadcastEvent?
            try? reader.read(Array(frame.readableBytesView)) { message in
                if case .text(let text) = message, case .event(let found) = Dialect.plain.decodeServerMessage(text) {
                    event = found
                }
            }
            channel = event?.channel ?? "none"
            name = event?.name ?? "none"
            payload = event?.payload ?? [:]
        }

        var isStale: Bool { name == .stale }
        var entity: String? { payload.entityID }
        var version: Int { payload.string("version").flatMap(Int.init) ?? 0 }
        var description: String {
            isStale
                ? "\(channel) stale \(payload.string("reason") ?? "-")"
                : "\(channel) \(name) \(entity ?? "-") v\(version)"
        }
    }

    private func signal(
        _ channel: ChannelName,
        _ name: EventName,
        entity: String?,
        version: Int,
        delivery: ChannelDelivery = .signal
    ) -> PublishedEvent {
        var payload: [String: JSONValue] = ["version": .string("\(version)")]
        if let entity { payload["entity_id"] = .string(entity) }
        return PublishedEvent(
            event: BroadcastEvent(channel: channel, name: name, payload: EventPayload(payload)),
            position: EventPosition(epoch: "test", offset: 1),
            delivery: delivery
        )
    }

    private func drain(_ queue: OutboundQueue) -> [Signal] {
        var signals: [Signal] = []
        while let frame = queue.popFirst() { signals.append(Signal(frame)) }
        return signals
    }
}

extension WebSocketReader {
    /// Reads bytes that a test has at hand.
    mutating func read(_ bytes: [UInt8], _ receive: (WebSocketMessage) -> Void) throws(WebSocketViolation) {
        let violation = bytes.withUnsafeBytes { buffer -> WebSocketViolation? in
            do throws(WebSocketViolation) {
                try read(buffer, receive)
                return nil
            } catch {
                return error
            }
        }
        if let violation { throw violation }
    }
}
