import TestSupport
import Testing

@testable import TidingsQuery

@Suite("What the server has, and what is on top of it")
struct OverlayTests {
    private func put(_ number: Int, as identifier: UInt64? = nil) -> Overlay<Set<Int>>.Patch {
        .init(identifier: identifier ?? UInt64(number)) { $0.insert(number) }
    }

    @Test("without changes is what the server has")
    func plain() {
        var overlay = Overlay<Set<Int>>()
        #expect(overlay.visible == nil)
        overlay.replace([1])
        #expect(overlay.visible == [1])
        overlay.update { $0.insert(2) }
        #expect(overlay.base == [1, 2])
        #expect(!overlay.hasPatches)
    }

    @Test("an update of nothing is nothing")
    func updateNothing() {
        var overlay = Overlay<Set<Int>>()
        overlay.update { $0.insert(1) }
        #expect(overlay.base == nil)
    }

    @Test("changes wait for something to be done to")
    func waiting() {
        var overlay = Overlay<Set<Int>>()
        overlay.add(put(1))
        #expect(overlay.visible == nil)
        #expect(overlay.hasPatch(1))
        overlay.replace([5])
        #expect(overlay.visible == [1, 5])
        #expect(overlay.base == [5])
    }

    @Test("a change confirmed without data is forgotten")
    func confirmedWithoutData() {
        var overlay = Overlay<Set<Int>>()
        overlay.add(put(1))
        overlay.confirm(1, as: nil)
        overlay.replace([5])
        #expect(overlay.visible == [5])
    }

    @Test("unknown changes are neither removed nor confirmed")
    func unknown() {
        var overlay = Overlay<Set<Int>>(base: [1])
        overlay.add(put(2))
        overlay.remove(9)
        overlay.confirm(9, as: nil)
        #expect(overlay.visible == [1, 2])
        #expect(overlay.base == [1])
    }

    @Test("what arrives has missed what was confirmed since it was asked for")
    func missed() {
        var overlay = Overlay<Set<Int>>(base: [1])
        overlay.add(put(2))
        overlay.add(put(3))
        overlay.awaitArrival(true)
        overlay.confirm(2, as: nil)
        let missed = overlay.arrive([10])
        #expect(missed)
        #expect(overlay.base == [2, 10])
        #expect(overlay.visible == [2, 3, 10])
    }

    @Test("what arrives knows what was confirmed before it was asked for")
    func known() {
        var overlay = Overlay<Set<Int>>(base: [1])
        overlay.add(put(2))
        overlay.confirm(2, as: nil)
        overlay.awaitArrival(true)
        let missed = overlay.arrive([10])
        #expect(!missed)
        #expect(overlay.visible == [10])
    }

    @Test("asking anew knows what was confirmed until then")
    func askedAnew() {
        var overlay = Overlay<Set<Int>>(base: [1])
        overlay.add(put(2))
        overlay.awaitArrival(true)
        overlay.confirm(2, as: nil)
        overlay.awaitArrival(true)
        let missed = overlay.arrive([10])
        #expect(!missed)
        #expect(overlay.visible == [10])
    }

    @Test("the server's own word takes the place of the change")
    func truth() {
        var overlay = Overlay<Set<Int>>(base: [1])
        overlay.add(put(2))
        overlay.confirm(2) { $0.insert(20) }
        #expect(overlay.visible == [1, 20])
    }

    @Test("any sequence of changes comes to what a model says")
    func model() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            var overlay = Overlay<Set<Int>>(base: [])
            var base: Set<Int> = []
            var patches: [Int] = []
            var landed: Set<Int>?
            for number in 1...40 {
                switch random.number(in: 0...5) {
                case 0, 1:
                    overlay.add(put(number))
                    patches.append(number)
                case 2:
                    guard let chosen = patches.randomElement(using: &random) else { continue }
                    overlay.remove(UInt64(chosen))
                    patches.removeAll { $0 == chosen }
                case 3:
                    guard let chosen = patches.randomElement(using: &random) else { continue }
                    overlay.confirm(UInt64(chosen), as: nil)
                    patches.removeAll { $0 == chosen }
                    base.insert(chosen)
                    landed?.insert(chosen)
                case 4:
                    overlay.awaitArrival(true)
                    landed = []
                default:
                    let missed = overlay.arrive([-number])
                    #expect(missed == !(landed ?? []).isEmpty)
                    base = (landed ?? []).union([-number])
                    landed = nil
                }
                #expect(overlay.base == base)
                #expect(overlay.visible == base.union(patches))
                #expect(overlay.hasPatches == !patches.isEmpty)
            }
        }
    }
}
