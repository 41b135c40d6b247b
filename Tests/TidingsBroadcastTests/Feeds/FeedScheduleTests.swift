import Testing

@testable import TidingsBroadcast

@Suite("When a feed asks")
struct FeedScheduleTests {
    private static let times = FeedSchedule.Times(
        interval: .seconds(10),
        retry: .seconds(5),
        longestRetry: .seconds(60),
        jitter: 0
    )

    private func schedule(jitter: Double = 0, onlyWithListeners: Bool = false) -> FeedSchedule {
        var times = Self.times
        times.jitter = jitter
        return FeedSchedule(times: times, onlyWithListeners: onlyWithListeners)
    }

    @Test("at once, and then an interval after each poll's end")
    func interval() {
        var schedule = schedule()
        #expect(schedule.next(at: .zero, hasListeners: false) == .poll)
        // A slow one: it took twelve seconds.
        schedule.succeeded(at: .seconds(12), chance: 0.5)
        #expect(schedule.next(at: .seconds(12), hasListeners: false) == .wait(.seconds(10)))
        #expect(schedule.next(at: .milliseconds(21_999), hasListeners: false) == .wait(.milliseconds(1)))
        #expect(schedule.next(at: .seconds(22), hasListeners: false) == .poll)
        #expect(schedule.next(at: .seconds(500), hasListeners: false) == .poll)
    }

    @Test("five seconds after a failure, then twice as long each time, up to a minute")
    func backoff() {
        var schedule = schedule()
        var now = Duration.zero
        var delays: [Duration] = []
        for _ in 0..<6 {
            let delay = schedule.failed(at: now, chance: 0.5)
            #expect(schedule.next(at: now, hasListeners: true) == .wait(delay))
            now += delay
            #expect(schedule.next(at: now, hasListeners: true) == .poll)
            delays.append(delay)
        }
        #expect(delays == [5, 10, 20, 40, 60, 60].map { .seconds($0) })
        schedule.succeeded(at: now, chance: 0.5)
        #expect(schedule.next(at: now, hasListeners: true) == .wait(.seconds(10)))
        #expect(schedule.failed(at: now, chance: 0.5) == .seconds(5))
    }

    @Test("a thousand failures later it still waits a minute")
    func manyFailures() {
        var schedule = schedule()
        for _ in 0..<1000 { _ = schedule.failed(at: .zero, chance: 0) }
        #expect(schedule.failed(at: .zero, chance: 0) == .seconds(60))
    }

    @Test(
        "an interval is shortened or prolonged by chance, by a tenth at the most",
        arguments: [(0.0, 9_000), (0.5, 10_000), (1.0, 11_000)]
    )
    func jitter(chance: Double, milliseconds: Int) {
        var schedule = schedule(jitter: 0.1)
        schedule.succeeded(at: .seconds(1), chance: chance)
        guard case .wait(let time) = schedule.next(at: .seconds(1), hasListeners: true) else {
            Issue.record("It does not wait.")
            return
        }
        #expect(abs(time / .milliseconds(1) - Double(milliseconds)) < 0.001)
        let delay = schedule.failed(at: .seconds(1), chance: chance)
        #expect(abs(delay / .milliseconds(1) - Double(milliseconds) / 2) < 0.001)
    }

    @Test("if so declared, only while somebody listens")
    func listeners() {
        var schedule = schedule(onlyWithListeners: true)
        #expect(schedule.next(at: .zero, hasListeners: false) == .waitForListeners)
        #expect(schedule.next(at: .seconds(100), hasListeners: true) == .poll)
        schedule.succeeded(at: .seconds(100), chance: 0.5)
        #expect(schedule.next(at: .seconds(101), hasListeners: false) == .waitForListeners)
        // Who goes and comes back cannot make it ask more often.
        #expect(schedule.next(at: .seconds(102), hasListeners: true) == .wait(.seconds(8)))
        #expect(schedule.next(at: .seconds(300), hasListeners: false) == .waitForListeners)
        #expect(schedule.next(at: .seconds(300), hasListeners: true) == .poll)
    }
}
