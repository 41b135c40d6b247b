import TestSupport
import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("Who holds which channel")
struct SubscriptionTableTests {
    private final class Subscriber: ChannelSubscriber {
        let number: Int
        var subscriptions: [ChannelSubscription<Subscriber>] = []

        init(_ number: Int) {
            self.number = number
        }
    }

    @Test("after any sequence of changes the table equals a set of pairs", arguments: [1, 2, 3, 4] as [UInt64])
    func randomWalk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var table = SubscriptionTable<Subscriber>()
        let subscribers = (0..<12).map(Subscriber.init)
        let channels = try (0..<8).map { try ChannelName("channel-\($0)") }
        var model: [ChannelName: Set<Int>] = [:]
        for _ in 0..<5000 {
            let subscriber = try #require(subscribers.randomElement(using: &random))
            let channel = try #require(channels.randomElement(using: &random))
            switch Int.random(in: 0..<20, using: &random) {
            case 0:
                let held = model.filter { $0.value.contains(subscriber.number) }.map(\.key)
                #expect(Set(table.removeAll(of: subscriber)) == Set(held), "seed \(seed)")
                for channel in held { model[channel]?.remove(subscriber.number) }
            case 1..<9:
                let held = model[channel, default: []].remove(subscriber.number) != nil
                #expect(table.remove(subscriber, from: channel) == held, "seed \(seed)")
            default:
                guard !table.contains(subscriber, in: channel) else { continue }
                table.insert(subscriber, into: channel)
                model[channel, default: []].insert(subscriber.number)
            }
            for channel in channels {
                var members: [Int] = []
                table.forEachSubscriber(of: channel) { members.append($0.number) }
                #expect(members.count == Set(members).count)
                #expect(Set(members) == model[channel, default: []], "seed \(seed)")
            }
        }
    }
}
