import Testing
import TidingsWire

@testable import TidingsBroadcast

@Suite("What a feed has told")
struct FeedMemoryTests {
    private typealias Memory = FeedMemory<Int>

    private func memory(isSignificant: FeedForm<Int>.Significance? = nil) -> Memory {
        Memory(isSignificant: isSignificant) { payload in
            try? payload.decode([String: Int].self)["data"]
        }
    }

    private func payload(_ value: Int) -> EventPayload { ["data": .integer(value)] }

    private func newest(_ offset: UInt64, _ value: Int) -> Memory.Newest {
        .event(position: EventPosition(epoch: "e", offset: offset), payload: payload(value))
    }

    private func verdict(_ memory: Memory, polled value: Int, newest: Memory.Newest) -> Memory.Verdict {
        memory.verdict(on: value, payload(value), since: memory.mark(newest: newest), newest: newest)
    }

    @Test("the first value is told, the same one is not told again, another one is")
    func changes() {
        var memory = memory()
        #expect(verdict(memory, polled: 1, newest: .nothing) == .tell)
        memory.told(1, payload(1), newest: .nothing)
        #expect(verdict(memory, polled: 1, newest: newest(1, 1)) == .unchanged)
        #expect(verdict(memory, polled: 2, newest: newest(1, 1)) == .tell)
        memory.told(2, payload(2), newest: newest(1, 1))
        #expect(verdict(memory, polled: 1, newest: newest(2, 2)) == .tell)
    }

    @Test("what is on its way to the hub counts as told; what is kept nowhere any more is told again")
    func onItsWay() {
        var memory = memory()
        memory.told(2, payload(2), newest: newest(1, 1))
        #expect(verdict(memory, polled: 2, newest: newest(1, 1)) == .unchanged)
        #expect(verdict(memory, polled: 1, newest: newest(1, 1)) == .tell)
        #expect(verdict(memory, polled: 2, newest: .nothing) == .tell)
    }

    @Test("while it cannot be found out what is newest, what this node has told counts")
    func unknown() {
        var memory = memory()
        #expect(verdict(memory, polled: 2, newest: .unknown) == .tell)
        memory.told(2, payload(2), newest: .unknown)
        #expect(verdict(memory, polled: 2, newest: .unknown) == .unchanged)
        #expect(verdict(memory, polled: 3, newest: .unknown) == .tell)
    }

    @Test("what another node told counts as told")
    func otherNode() {
        var memory = memory()
        memory.told(1, payload(1), newest: .nothing)
        #expect(verdict(memory, polled: 7, newest: newest(9, 7)) == .unchanged)
        #expect(verdict(memory, polled: 1, newest: newest(9, 7)) == .tell)
    }

    @Test("what a poll finds is overtaken by whatever is sent meanwhile, here or elsewhere")
    func overtaken() {
        var memory = memory()
        var mark = memory.mark(newest: newest(1, 1))
        memory.sendBegan()
        #expect(memory.verdict(on: 5, payload(5), since: mark, newest: newest(1, 1)) == .overtaken)
        mark = memory.mark(newest: newest(1, 1))
        #expect(memory.verdict(on: 5, payload(5), since: mark, newest: newest(1, 1)) == .tell)
        #expect(memory.verdict(on: 5, payload(5), since: mark, newest: newest(2, 9)) == .overtaken)
        mark = memory.mark(newest: .nothing)
        #expect(memory.verdict(on: 5, payload(5), since: mark, newest: newest(1, 9)) == .overtaken)
    }

    @Test("what differs too little from what was told is not told; small steps add up")
    func significance() {
        var memory = memory { old, new in abs(new - old) > 10 }
        #expect(verdict(memory, polled: 100, newest: .nothing) == .tell)
        memory.told(100, payload(100), newest: .nothing)
        for value in [105, 110, 95, 90] {
            #expect(verdict(memory, polled: value, newest: newest(1, 100)) == .insignificant)
        }
        #expect(verdict(memory, polled: 111, newest: newest(1, 100)) == .tell)
        #expect(memory.verdict(onSent: 105, newest: newest(1, 100)) == .insignificant)
        #expect(memory.verdict(onSent: 120, newest: newest(1, 100)) == .tell)
        // Another node has told 115.
        #expect(verdict(memory, polled: 111, newest: newest(2, 115)) == .insignificant)
        // Nobody can read what was told: then it is told anew.
        let unreadable = Memory.Newest.event(
            position: EventPosition(epoch: "e", offset: 3),
            payload: ["data": "many"]
        )
        #expect(verdict(memory, polled: 111, newest: unreadable) == .tell)
    }

    @Test("what is sent is told, also when it is the same")
    func sent() {
        var memory = memory()
        memory.told(1, payload(1), newest: .nothing)
        #expect(memory.verdict(onSent: 1, newest: newest(1, 1)) == .tell)
    }
}
