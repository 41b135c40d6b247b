import Testing
import TidingsWire

@testable import TidingsClient

@Suite("Events that wait for a reader")
struct EventBufferTests {
    @Test("come in order")
    func order() {
        var buffer = EventBuffer(capacity: 10)
        for number in 0..<10 { buffer.append(event("order", number)) }
        #expect((0..<10).compactMap { _ in buffer.popFirst()?.payload.string("number") } == (0..<10).map { "\($0)" })
        #expect(buffer.popFirst() == nil)
    }

    @Test("past the capacity they collapse into one stale event a channel, which absorbs what follows until it is read")
    func collapse() {
        var buffer = EventBuffer(capacity: 4)
        for number in 0..<3 { buffer.append(event("order", number)) }
        buffer.append(event("contact", 3))
        for number in 4..<100 { buffer.append(event("order", number)) }
        #expect(buffer.count == 2)
        #expect(buffer.popFirst() == .stale("order", reason: .lagged))
        buffer.append(event("order", 100))
        buffer.append(event("contact", 101))
        #expect(buffer.popFirst() == .stale("contact", reason: .lagged))
        #expect(buffer.popFirst() == event("order", 100))
        #expect(buffer.popFirst() == nil)
    }

    @Test("is never longer than its capacity and the number of channels")
    func bounded() throws {
        var buffer = EventBuffer(capacity: 8)
        for number in 0..<1000 { buffer.append(event(try ChannelName("channel-\(number % 20)"), number)) }
        #expect(buffer.count <= 28)
    }

    private func event(_ channel: ChannelName, _ number: Int) -> BroadcastEvent {
        BroadcastEvent(channel: channel, name: .updated, payload: ["number": .string("\(number)")])
    }
}
