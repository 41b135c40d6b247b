import TestSupport
import Testing
import TidingsBroadcast
import TidingsTesting
import TidingsWire

@Suite("The log in memory", .timeLimit(.patience))
struct EventLogTests {
    @Test("keeps the promises of EventLog", arguments: EventLogConformance.checks)
    func conforms(_ check: ConformanceCheck<EventLogConformance.Subject>) async throws {
        let log = InMemoryEventLog()
        try await check.run(against: EventLogConformance.Subject(log, append: log.append))
    }

    @Test("two logs have two epochs")
    func epochs() {
        #expect(InMemoryEventLog().head().epoch != InMemoryEventLog().head().epoch)
    }

    @Test("past the count of a channel its oldest events leave, and a reader from before is told")
    func boundByCount() throws {
        let log = InMemoryEventLog(limits: .init(eventsPerChannel: 3))
        let start = log.head()
        let positions = (0..<5).map { _ in log.append(BroadcastEvent(channel: "order", name: .updated)) }
        #expect(reason(log, "order", after: start) == .gap)
        #expect(reason(log, "order", after: positions[0]) == .gap)
        #expect(try offsets(log, "order", after: positions[1]) == [3, 4, 5])
        #expect(try offsets(log, "order", after: positions[4]) == [])
    }

    @Test("one channel's events do not push out another's by count")
    func countIsPerChannel() throws {
        let log = InMemoryEventLog(limits: .init(eventsPerChannel: 3))
        let start = log.head()
        _ = log.append(BroadcastEvent(channel: "quiet", name: .updated))
        for _ in 0..<10 { _ = log.append(BroadcastEvent(channel: "loud", name: .updated)) }
        #expect(try offsets(log, "quiet", after: start) == [1])
    }

    @Test("past the bytes of all channels the oldest events leave, whatever their channel")
    func boundByBytes() throws {
        let payload: EventPayload = ["text": .string(String(repeating: "x", count: 1000))]
        let log = InMemoryEventLog(limits: .init(bytes: 22_000))
        let start = log.head()
        for number in 0..<8 {
            _ = log.append(
                BroadcastEvent(channel: number.isMultiple(of: 2) ? "a" : "b", name: .updated, payload: payload)
            )
        }
        #expect(reason(log, "a", after: start) == .gap)
        #expect(reason(log, "b", after: start) == .gap)
        let kept =
            try offsets(log, "a", after: EventPosition(epoch: start.epoch, offset: 4))
            + offsets(log, "b", after: EventPosition(epoch: start.epoch, offset: 4))
        #expect(kept.sorted() == [5, 6, 7, 8])
    }

    @Test("events leave when they are too old, also from a channel that nothing happens on")
    func boundByAge() throws {
        let clock = ManualClock()
        let log = InMemoryEventLog(limits: .init(age: .seconds(300)), clock: clock)
        let start = log.head()
        let first = log.append(BroadcastEvent(channel: "order", name: .updated))
        clock.advance(by: .seconds(200))
        _ = log.append(BroadcastEvent(channel: "order", name: .updated))
        clock.advance(by: .seconds(99))
        #expect(try offsets(log, "order", after: start) == [1, 2])
        clock.advance(by: .seconds(2))
        #expect(reason(log, "order", after: start) == .gap)
        #expect(try offsets(log, "order", after: first) == [2])
        clock.advance(by: .seconds(300))
        #expect(reason(log, "order", after: first) == .gap)
        #expect(try offsets(log, "order", after: log.head()) == [])
    }

    @Test("a channel that was emptied and used again still remembers that something left")
    func reusedChannel() throws {
        let clock = ManualClock()
        let log = InMemoryEventLog(limits: .init(age: .seconds(10)), clock: clock)
        let start = log.head()
        _ = log.append(BroadcastEvent(channel: "order", name: .updated))
        clock.advance(by: .seconds(11))
        _ = log.append(BroadcastEvent(channel: "other", name: .updated))
        let later = log.append(BroadcastEvent(channel: "order", name: .updated))
        #expect(reason(log, "order", after: start) == .gap)
        #expect(
            try offsets(log, "order", after: EventPosition(epoch: start.epoch, offset: later.offset - 1)) == [
                later.offset
            ]
        )
    }

    @Test(
        "whatever is appended and asked for, an answer is complete or refused",
        arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]
    )
    func randomWalk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let clock = ManualClock()
        let log = InMemoryEventLog(limits: .init(eventsPerChannel: 5, age: .seconds(60), bytes: 6000), clock: clock)
        let epoch = log.head().epoch
        let channels: [ChannelName] = ["a", "b", "c"]
        var appended: [(channel: ChannelName, offset: UInt64)] = []
        for _ in 0..<2000 {
            let channel = try #require(channels.randomElement(using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let position = log.append(BroadcastEvent(channel: channel, name: .updated))
                appended.append((channel, position.offset))
            case 6:
                clock.advance(by: .seconds(Int.random(in: 0...20, using: &random)))
            default:
                let offset = UInt64.random(in: 0...UInt64(appended.count), using: &random)
                let expected = appended.filter { $0.channel == channel && $0.offset > offset }.map(\.offset)
                if case .events(let events, _) = log.events(
                    on: channel,
                    after: EventPosition(epoch: epoch, offset: offset)
                ) {
                    #expect(events.compactMap(\.position?.offset) == expected, "seed \(seed)")
                    #expect(events.allSatisfy { $0.channel == channel })
                }
            }
        }
    }

    private func offsets(
        _ log: InMemoryEventLog,
        _ channel: ChannelName,
        after position: EventPosition
    ) throws -> [UInt64] {
        guard case .events(let events, _) = log.events(on: channel, after: position) else {
            throw NotRecovered()
        }
        return events.compactMap(\.position?.offset)
    }

    private func reason(_ log: InMemoryEventLog, _ channel: ChannelName, after position: EventPosition) -> StaleReason?
    {
        guard case .notRecoverable(let reason) = log.events(on: channel, after: position) else { return nil }
        return reason
    }

    private struct NotRecovered: Error {}
}
