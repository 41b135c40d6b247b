import NIOCore
import Testing

@testable import TidingsBroadcast

@Suite("When a loop delivers")
struct DeliveryPaceTests {
    private var pace = DeliveryPace()
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// A turn, a while after the one before.
    private mutating func turn(_ events: Int, lasting duration: TimeAmount, after pause: TimeAmount) -> TimeAmount? {
        now = now + pause
        let delay = pace.delay(at: now)
        let start = now + (delay ?? .zero)
        now = start + duration
        pace.delivered(events, from: start, to: now)
        return delay
    }

    @Test("the first turn, short turns and turns after a pause are not delayed")
    mutating func atOnce() {
        for _ in 0..<10 {
            #expect(turn(5, lasting: .microseconds(29), after: .microseconds(1)) == nil)
        }
        #expect(turn(5, lasting: .milliseconds(1), after: .microseconds(1)) == nil)
        for _ in 0..<10 { #expect(turn(5, lasting: .milliseconds(1), after: .milliseconds(4)) == nil) }
    }

    @Test("long turns that follow each other are delayed by an eighth, at most a millisecond")
    mutating func delayed() {
        _ = turn(5, lasting: .microseconds(800), after: .zero)
        #expect(turn(5, lasting: .microseconds(800), after: .microseconds(10)) == .microseconds(100))
        #expect(turn(5, lasting: .milliseconds(80), after: .microseconds(10)) == .microseconds(100))
        #expect(turn(5, lasting: .milliseconds(80), after: .microseconds(10)) == .milliseconds(1))
    }

    @Test("what brings nothing is tried less and less often, and again when it does")
    mutating func inVain() {
        _ = turn(1, lasting: .milliseconds(1), after: .zero)
        var delays: [Int] = []
        for number in 0..<400 where turn(1, lasting: .milliseconds(1), after: .microseconds(10)) != nil {
            delays.append(number)
        }
        #expect(delays == [0, 2, 5, 10, 19, 36, 69, 134, 199, 264, 329, 394])
        while turn(5, lasting: .milliseconds(1), after: .microseconds(10)) == nil {}
        #expect(turn(5, lasting: .milliseconds(1), after: .microseconds(10)) != nil)
    }
}
