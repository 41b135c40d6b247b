import TestSupport
import Testing
import TidingsBroadcast
import TidingsWire

@testable import TidingsRedis

@Suite("The one set of subscriptions")
struct SubscriptionSetTests {
    private static func at(_ offset: UInt64, _ epoch: String = "e") -> EventPosition {
        EventPosition(epoch: epoch, offset: offset)
    }

    @Test("the first member subscribes, the last one unsubscribes, and nothing is sent twice")
    func counting() {
        var set = SubscriptionSet()
        set.join(.handler(1), "a")
        set.join(.handler(2), "a")
        #expect(set.commands().subscribe == ["a"])
        #expect(set.commands().subscribe == [])
        set.subscribed("a")
        set.leave(.handler(1), "a")
        #expect(set.commands().unsubscribe == [])
        set.leave(.handler(2), "a")
        set.leave(.handler(2), "a")
        #expect(set.commands().unsubscribe == ["a"])
        #expect(set.count == 0)
        set.unsubscribed("a")
        #expect(set.commands() == ([], []))
    }

    @Test("who changes their mind while a command is on its way waits for its confirmation")
    func changingMinds() {
        var set = SubscriptionSet()
        set.join(.handler(1), "a")
        #expect(set.commands().subscribe == ["a"])
        set.leave(.handler(1), "a")
        #expect(set.commands() == ([], []))
        set.subscribed("a")
        #expect(set.commands().unsubscribe == ["a"])
        set.join(.handler(2), "a")
        #expect(set.commands() == ([], []))
        #expect(!set.needsBarrier)
        set.unsubscribed("a")
        #expect(set.commands().subscribe == ["a"])
        set.subscribed("a")
        #expect(set.needsBarrier)
    }

    @Test("a member is live from the barrier that began after the subscription, not from an earlier one")
    func barriers() {
        var set = SubscriptionSet()
        set.join(.handler(1), "a")
        _ = set.commands()
        #expect(set.begin(barrier: 1) == [])
        set.subscribed("a")
        #expect(set.reached(barrier: 1, at: Self.at(5)) == [])
        #expect(set.heard("a", at: Self.at(6), before: 0).members == [])
        #expect(set.begin(barrier: 2) == ["a"])
        set.join(.hub(generation: 7), "a")
        let first = set.reached(barrier: 2, at: Self.at(6), past: [0])
        #expect(first == [.init(channel: "a", member: .handler(1), isReturn: false, isCertain: false)])
        #expect(set.needsBarrier)
        #expect(set.heard("a", at: Self.at(7), before: 6).members == [.handler(1)])
        #expect(set.begin(barrier: 3) == ["a"])
        #expect(set.reached(barrier: 2, at: Self.at(7)) == [])
        #expect(set.reached(barrier: 3, at: Self.at(7)).map(\.member) == [.hub(generation: 7)])
        #expect(set.liveMembers(of: "a") == [.handler(1), .hub(generation: 7)])
        #expect(set.liveChannels == ["a"])
    }

    @Test("a loss of the connection makes everybody wait again, and says who comes back")
    func disconnecting() {
        var set = SubscriptionSet()
        set.join(.handler(1), "a")
        _ = set.commands()
        set.subscribed("a")
        _ = set.begin(barrier: 1)
        _ = set.reached(barrier: 1, at: Self.at(1))
        set.join(.handler(2), "a")
        set.join(.handler(3), "b")
        set.leave(.handler(3), "b")
        set.disconnected()
        #expect(set.liveMembers(of: "a") == [])
        #expect(set.heard("a", at: Self.at(2), before: 1).members == [])
        #expect(set.commands() == (["a"], []))
        set.subscribed("a")
        #expect(set.begin(barrier: 2) == ["a"])
        set.disconnected()
        #expect(set.reached(barrier: 2, at: Self.at(3)) == [])
        #expect(set.commands() == (["a"], []))
        set.subscribed("a")
        #expect(set.begin(barrier: 3) == ["a"])
        #expect(set.reached(barrier: 3, at: Self.at(9)).map(\.isReturn) == [true, false])
    }

    @Test("positions tell what is missing, what came before, and that the log is another one")
    func positions() {
        var set = SubscriptionSet()
        set.join(.handler(1), "a")
        _ = set.commands()
        set.subscribed("a")
        _ = set.begin(barrier: 1)
        _ = set.reached(barrier: 1, at: Self.at(10))
        func hear(_ offset: UInt64, before: UInt64?, _ epoch: String = "e") -> String {
            let hearing = set.heard("a", at: Self.at(offset, epoch), before: before)
            return (hearing.isGap ? "gap " : "") + (hearing.isRepeat ? "repeat " : "") + "\(hearing.members.count)"
        }
        #expect(hear(12, before: 4) == "1")
        #expect(hear(15, before: 12) == "1")
        #expect(hear(18, before: 16) == "gap 1")
        #expect(hear(20, before: nil) == "1")
        #expect(hear(20, before: 18) == "repeat 1")
        #expect(hear(3, before: 0) == "repeat 1")
        #expect(hear(2, before: 1, "f") == "1")
        #expect(hear(3, before: 2, "f") == "1")
        let past = set.heard("a", at: nil, before: nil)
        #expect(past.members == [.handler(1)] && !past.isGap && !past.isRepeat)
        #expect(hear(5, before: 3, "f") == "1")
    }

    @Test(
        "whatever happens in whatever order, a live member hears everything, once",
        arguments: 0..<300 as Range<UInt64>
    )
    func walk(_ seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<400 { world.step() }
        world.settle()
        #expect(world.faults == [], "seed \(seed)")
    }
}

/// A Redis of the tests' own, with everything that may be on its way to and fro.
private struct World {
    enum Reply {
        case subscribed(ChannelName)
        case unsubscribed(ChannelName)
        case event(ChannelName, offset: UInt64, before: UInt64)
        case barrier(UInt64, offset: UInt64)
    }

    struct Hearer {
        let channel: ChannelName
        /// From where on it is live; nil while it is not.
        var since: UInt64?
        var wasLive = false
        var heard: [UInt64] = []
    }

    static let channels: [ChannelName] = ["a", "b", "c"]

    var generator: SeededGenerator
    var set = SubscriptionSet()
    var hearers: [SubscriptionSet.Member: Hearer] = [:]
    var lastMember: UInt64 = 0
    var commands: [(isSubscribe: Bool, channel: ChannelName)] = []
    var replies: [Reply] = []
    var subscribed: Set<ChannelName> = []
    var offset: UInt64 = 0
    var events: [ChannelName: [UInt64]] = [:]
    var lastToken: UInt64 = 0
    var barrier: UInt64?
    var faults: [String] = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func step() {
        switch generator.number(in: 0...19) {
        case 0...2: join()
        case 3...4: leave()
        case 5...8: publish()
        case 9...10: send()
        case 11...13: serve()
        case 14...16: receive()
        case 17...18: beginBarrier()
        default: if generator.once(in: 4) { disconnect() }
        }
    }

    /// Lets everything arrive, and checks that everybody is live.
    mutating func settle() {
        for _ in 0..<50 {
            send()
            while !commands.isEmpty { serve() }
            beginBarrier()
            while !replies.isEmpty { receive() }
        }
        for (member, hearer) in hearers where hearer.since == nil { faults.append("\(member) is not live") }
        for member in hearers.keys { check(member) }
        let wanted = Set(hearers.values.map(\.channel))
        if subscribed != wanted { faults.append("subscribed to \(subscribed), wanted \(wanted)") }
    }

    private mutating func join() {
        lastMember += 1
        let channel = Self.channels[generator.number(in: 0...2)]
        set.join(.handler(lastMember), channel)
        hearers[.handler(lastMember)] = Hearer(channel: channel)
    }

    private mutating func leave() {
        let members = hearers.keys.sorted { "\($0)" < "\($1)" }
        guard !members.isEmpty else { return }
        let member = members[generator.number(in: 0...members.count - 1)]
        check(member)
        guard let hearer = hearers.removeValue(forKey: member) else { return }
        set.leave(member, hearer.channel)
    }

    private mutating func publish() {
        let channel = Self.channels[generator.number(in: 0...2)]
        offset += 1
        let before = events[channel]?.last ?? 0
        events[channel, default: []].append(offset)
        if subscribed.contains(channel) { replies.append(.event(channel, offset: offset, before: before)) }
    }

    private mutating func send() {
        let (subscribe, unsubscribe) = set.commands()
        commands += subscribe.map { (true, $0) } + unsubscribe.map { (false, $0) }
        for channel in Self.channels where commands.count(where: { $0.channel == channel }) > 1 {
            faults.append("two commands about \(channel)")
        }
    }

    private mutating func serve() {
        guard !commands.isEmpty else { return }
        let (isSubscribe, channel) = commands.removeFirst()
        if isSubscribe { subscribed.insert(channel) } else { subscribed.remove(channel) }
        replies.append(isSubscribe ? .subscribed(channel) : .unsubscribed(channel))
    }

    private mutating func beginBarrier() {
        guard barrier == nil, set.needsBarrier || generator.once(in: 5) else { return }
        lastToken += 1
        barrier = lastToken
        _ = set.begin(barrier: lastToken)
        replies.append(.barrier(lastToken, offset: offset))
    }

    private mutating func receive() {
        guard !replies.isEmpty else { return }
        switch replies.removeFirst() {
        case .subscribed(let channel): set.subscribed(channel)
        case .unsubscribed(let channel): set.unsubscribed(channel)
        case .event(let channel, let offset, let before):
            let hearing = set.heard(channel, at: EventPosition(epoch: "e", offset: offset), before: before)
            if hearing.isGap { faults.append("a gap before \(offset)") }
            // What came between a confirmation and the barrier was told to nobody.
            if hearing.isRepeat, !hearing.members.isEmpty { faults.append("\(offset) came again") }
            for member in hearing.members { hearers[member]?.heard.append(offset) }
        case .barrier(let token, let offset):
            barrier = nil
            for arrival in set.reached(barrier: token, at: EventPosition(epoch: "e", offset: offset)) {
                if arrival.isReturn != hearers[arrival.member]?.wasLive { faults.append("a wrong return") }
                hearers[arrival.member]?.since = offset
            }
        }
    }

    private mutating func disconnect() {
        set.disconnected()
        for member in hearers.keys {
            check(member, isWhole: false)
            if hearers[member]?.since != nil { hearers[member]?.wasLive = true }
            hearers[member]?.since = nil
            hearers[member]?.heard = []
        }
        (commands, replies, subscribed, barrier) = ([], [], [], nil)
    }

    /// What a member heard is what happened after it became live: all of it, once nothing is on its way.
    private mutating func check(_ member: SubscriptionSet.Member, isWhole: Bool = true) {
        guard let hearer = hearers[member] else { return }
        guard let since = hearer.since else {
            if !hearer.heard.isEmpty { faults.append("\(member) heard something before it was live") }
            return
        }
        let onTheirWay = replies.compactMap { reply in
            if case .event(hearer.channel, let offset, _) = reply { offset } else { nil }
        }
        let happened = (events[hearer.channel] ?? []).filter { $0 > since }
        if isWhole, hearer.heard + onTheirWay != happened {
            faults.append("\(member) heard \(hearer.heard) of \(happened)")
        }
        if !happened.starts(with: hearer.heard) { faults.append("\(member) heard \(hearer.heard) of \(happened)") }
    }
}
