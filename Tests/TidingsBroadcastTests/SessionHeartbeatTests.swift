import NIOCore
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("Signs of life")
struct SessionHeartbeatTests {
    private let limits = SessionHeartbeat.Limits(interval: 25, timeout: 35)

    @Test("a peer that answers is pinged again and again and never given up")
    func alive() {
        var heartbeat = SessionHeartbeat(at: 0)
        var pings: [Int64] = []
        for now: Int64 in 1...200 {
            switch heartbeat.tick(at: now, limits: limits) {
            case .nothing: break
            case .ping:
                pings.append(now)
                heartbeat.heard(at: now)
            case .end: Issue.record("given up at \(now)")
            }
        }
        #expect(pings == [25, 50, 75, 100, 125, 150, 175, 200])
    }

    @Test("a silent peer is given up after the time for that")
    func silent() {
        var heartbeat = SessionHeartbeat(at: 100)
        for now: Int64 in 101...134 { #expect(heartbeat.tick(at: now, limits: limits) != .end) }
        #expect(heartbeat.tick(at: 135, limits: limits) == .end)
    }

    @Test("a peer that speaks but reads nothing is given up")
    func talkative() {
        var heartbeat = SessionHeartbeat(at: 0)
        heartbeat.blocked(at: 10)
        for now: Int64 in 11...44 {
            heartbeat.heard(at: now)
            heartbeat.blocked(at: now)
            #expect(heartbeat.tick(at: now, limits: limits) != .end)
        }
        heartbeat.heard(at: 45)
        #expect(heartbeat.tick(at: 45, limits: limits) == .end)
    }

    @Test("a write that did not have to wait is no sign of life")
    func writesProveNothing() {
        var heartbeat = SessionHeartbeat(at: 0)
        for now: Int64 in 1...34 {
            heartbeat.progressed(at: now, isThrough: true)
            #expect(heartbeat.tick(at: now, limits: limits) != .end)
        }
        heartbeat.progressed(at: 35, isThrough: true)
        #expect(heartbeat.tick(at: 35, limits: limits) == .end)
    }

    @Test("a peer that reads slowly is alive as long as it reads")
    func slow() {
        var heartbeat = SessionHeartbeat(at: 0)
        heartbeat.blocked(at: 0)
        for now: Int64 in 1...300 {
            if now.isMultiple(of: 30) { heartbeat.progressed(at: now, isThrough: false) }
            #expect(heartbeat.tick(at: now, limits: limits) != .end)
        }
        heartbeat.progressed(at: 300, isThrough: true)
        #expect(heartbeat.tick(at: 334, limits: limits) != .end)
        #expect(heartbeat.tick(at: 335, limits: limits) == .end)
    }
}

@Suite("How often somebody may do something")
struct RateLimitTests {
    private let limits = RateLimit.Limits(perSecond: 50, burst: 100)

    @Test("a burst is allowed at once, and after it as much as time gives")
    func burst() {
        var rate = RateLimit()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        for (time, expected) in [(0, 100), (1000, 50), (1100, 5), (3_600_000, 100)] {
            var allowed = 0
            for _ in 0..<200 where rate.allows(at: start + .milliseconds(Int64(time)), limits: limits) { allowed += 1 }
            #expect(allowed == expected)
        }
    }

    @Test("a steady rate at the limit is always allowed")
    func steady() {
        var rate = RateLimit()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var allowed = 0
        for number in 0..<1000 where rate.allows(at: start + .milliseconds(20) * number, limits: limits) {
            allowed += 1
        }
        #expect(allowed == 1000)
    }

    @Test("several at once count as several, all or none, and who has to wait is told for how long")
    func several() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var rate = RateLimit()
        func wait(_ count: Int, after milliseconds: Int64) -> TimeAmount? {
            rate.wait(for: count, at: start + .milliseconds(milliseconds), limits: limits)
        }
        #expect(wait(90, after: 0) == nil)
        #expect(wait(20, after: 0) == .milliseconds(200))
        #expect(wait(10, after: 0) == nil)
        #expect(wait(1, after: 0) == .milliseconds(20))
        #expect(wait(20, after: 399) == .milliseconds(1))
        #expect(wait(20, after: 400) == nil)
        #expect(!rate.isIdle(at: start + .milliseconds(2399)))
        #expect(rate.isIdle(at: start + .milliseconds(2400)))
    }

    @Test("more than a burst is allowed to who did nothing for long enough")
    func moreThanBurst() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var rate = RateLimit()
        func wait(_ count: Int, after milliseconds: Int64) -> TimeAmount? {
            rate.wait(for: count, at: start + .milliseconds(milliseconds), limits: limits)
        }
        #expect(wait(1, after: 0) == nil)
        #expect(wait(200, after: 0) == .milliseconds(20))
        #expect(wait(200, after: 20) == nil)
        #expect(wait(1, after: 20) == .milliseconds(2020))
    }

    @Test("what is given back does not count")
    func givenBack() {
        var rate = RateLimit()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        for _ in 0..<1000 {
            let isAllowed = rate.allows(at: start, limits: limits)
            #expect(isAllowed)
            rate.giveBack(limits: limits)
        }
        #expect(rate.isIdle(at: start))
    }
}

@Suite("What waits for a loop")
struct ShardInboxTests {
    @Test("comes out in order")
    func order() {
        var inbox = ShardInbox(capacity: 10)
        for offset: UInt64 in 1...5 { inbox.append(event("order", offset)) }
        #expect(inbox.takeAll().map(\.position.offset) == [1, 2, 3, 4, 5])
        #expect(inbox.takeAll().isEmpty)
    }

    @Test("past the capacity the channel with most of it gives way to one stale event, where its first one stood")
    func overflow() {
        var inbox = ShardInbox(capacity: 10)
        inbox.append(event("quiet", 1))
        for offset: UInt64 in 2...100 { inbox.append(event("loud", offset)) }
        let events = inbox.takeAll()
        #expect(events.map(\.event.channel) == ["quiet", "loud"])
        // What others are told at later positions must not make anybody believe that nothing is missing.
        #expect(events.map(\.position.offset) == [1, 2])
        #expect(events.last?.event.staleReason == .lagged)
        #expect(events.last?.isOverflow == true)
        inbox.append(event("loud", 101))
        #expect(inbox.takeAll().map(\.position.offset) == [101])
    }

    @Test("past the bytes the channel with most of them gives way, however few its events are")
    func bytes() {
        var inbox = ShardInbox(capacity: 1000, maximumBytes: 10_000)
        for offset: UInt64 in 1...20 { inbox.append(event("quiet", offset)) }
        for offset: UInt64 in 21...24 { inbox.append(event("loud", offset, bytes: 3000)) }
        let events = inbox.takeAll()
        #expect(events.count == 21)
        #expect(events.last?.event == .stale("loud", reason: .lagged))
        #expect(events.reduce(0) { $0 + $1.event.payload.json.count } < 10_000)
        inbox.append(event("loud", 30, bytes: 3000))
        #expect(inbox.takeAll().map(\.position.offset) == [30])
    }

    @Test("of snapshots that are too large together the newest of each stay")
    func largeSnapshots() {
        var inbox = ShardInbox(capacity: 1000, maximumBytes: 10_000)
        for offset: UInt64 in 1...30 {
            inbox.append(event(offset.isMultiple(of: 2) ? "feed:a" : "feed:b", offset, .snapshot, bytes: 3000))
        }
        #expect(Set(inbox.takeAll().suffix(2).map(\.position.offset)) == [29, 30])
    }

    @Test("where each channel has one event nothing gives way, and each is told")
    func manyChannels() {
        var inbox = ShardInbox(capacity: 10)
        for offset: UInt64 in 1...2000 { inbox.append(event(ChannelName(stringLiteral: "order:\(offset)"), offset)) }
        let events = inbox.takeAll()
        #expect(events.map(\.position.offset) == Array(1...2000))
        #expect(!events.contains { $0.isOverflow })
    }

    @Test("of a snapshot the newest stays")
    func snapshot() {
        var inbox = ShardInbox(capacity: 3)
        for offset: UInt64 in 1...9 { inbox.append(event("feed:status", offset, .snapshot)) }
        #expect(inbox.takeAll().map(\.position.offset) == [9])
    }

    private func event(
        _ channel: ChannelName,
        _ offset: UInt64,
        _ delivery: ChannelDelivery = .signal,
        bytes: Int = 0
    ) -> PublishedEvent {
        let payload: EventPayload = bytes == 0 ? [:] : ["text": .string(String(repeating: "x", count: bytes))]
        return PublishedEvent(
            event: BroadcastEvent(channel: channel, name: .updated, payload: payload),
            position: EventPosition(epoch: "test", offset: offset),
            delivery: delivery
        )
    }
}
