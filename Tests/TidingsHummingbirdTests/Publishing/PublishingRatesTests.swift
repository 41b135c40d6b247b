import NIOCore
import Testing

@testable import TidingsHummingbird

@Suite("How fast events are published over HTTP")
struct PublishingRatesTests {
    private let moment = Moment()

    private func rates(perSecond: Int = 10, burst: Int = 20, capacity: Int = 100) -> PublishingRates {
        var limits = PublishingLimits()
        (limits.eventsPerSecond, limits.eventBurst) = (perSecond, burst)
        return PublishingRates(limits: limits, capacity: capacity) { [moment] in moment.now }
    }

    @Test("each subject has a rate of its own")
    func subjects() {
        let rates = rates()
        #expect(rates.wait(for: 20, of: "42") == nil)
        #expect(rates.wait(for: 1, of: "42") == .milliseconds(100))
        #expect(rates.wait(for: 20, of: "43") == nil)
        moment.pass(.milliseconds(100))
        #expect(rates.wait(for: 1, of: "42") == nil)
        #expect(rates.wait(for: 1, of: "42") == .milliseconds(100))
    }

    @Test("however many subjects there are, no more are remembered than may; those who come then share one rate")
    func capacity() {
        let rates = rates(capacity: 5)
        for number in 0..<5 { #expect(rates.wait(for: 20, of: "\(number)") == nil) }
        #expect(rates.wait(for: 20, of: "5") == nil)
        #expect(rates.wait(for: 1, of: "6") == .milliseconds(100))
        #expect(rates.count == 5)
        // Nobody who is remembered gets more than before.
        #expect(rates.wait(for: 1, of: "0") == .milliseconds(100))
        // After two seconds nothing counts any more, and others are remembered.
        moment.pass(.seconds(2))
        #expect(rates.wait(for: 20, of: "6") == nil)
        #expect(rates.wait(for: 20, of: "7") == nil)
        #expect(rates.count == 2)
    }

    @Test("a wait is told in whole seconds, none too few")
    func retryAfter() {
        #expect(TimeAmount.nanoseconds(1).retryAfter == "1")
        #expect(TimeAmount.seconds(1).retryAfter == "1")
        #expect(TimeAmount.milliseconds(1001).retryAfter == "2")
    }
}
