import Testing
import TidingsTesting
import TidingsWire

@testable import TidingsHummingbird

@Suite("Requests to publish that come again")
struct PublishingTableTests {
    private let clock = ManualClock()
    private let positions = [EventPosition(epoch: "e", offset: 1)]

    private func table(answers: Int = 10, retention: Duration = .seconds(60)) -> PublishingTable {
        var limits = PublishingLimits()
        limits.answers = answers
        limits.answerRetention = retention
        return PublishingTable(limits: limits, clock: clock)
    }

    private func key(_ number: Int, of subject: String = "42") -> PublishingTable.Key {
        PublishingTable.Key(subject: subject, key: "\(number)")
    }

    @Test("the first publishes, one at the same time is told so, a later one has the answer")
    func sequence() {
        let table = table()
        #expect(table.begin(key(1), fingerprint: "a") == .publish(after: []))
        #expect(table.begin(key(1), fingerprint: "a") == .isRunning)
        #expect(table.begin(key(1), fingerprint: "b") == .isReused)
        table.end(key(1), positions, isDone: true)
        #expect(table.begin(key(1), fingerprint: "a") == .answer(positions))
        #expect(table.begin(key(1), fingerprint: "b") == .isReused)
        #expect(table.begin(key(1, of: "43"), fingerprint: "b") == .publish(after: []))
    }

    @Test("one that failed goes on, and only one at a time does")
    func interrupted() {
        let table = table()
        _ = table.begin(key(1), fingerprint: "a")
        table.end(key(1), positions, isDone: false)
        #expect(table.begin(key(1), fingerprint: "a") == .publish(after: positions))
        #expect(table.begin(key(1), fingerprint: "a") == .isRunning)
    }

    @Test("answers are forgotten after their time")
    func retention() {
        let table = table(retention: .seconds(60))
        _ = table.begin(key(1), fingerprint: "a")
        table.end(key(1), positions, isDone: true)
        clock.advance(by: .seconds(60))
        #expect(table.begin(key(1), fingerprint: "a") == .answer(positions))
        clock.advance(by: .seconds(1))
        #expect(table.begin(key(1), fingerprint: "a") == .publish(after: []))
        #expect(table.count == 1)
    }

    @Test("of more answers than are kept the oldest are forgotten, over thousands of requests")
    func capacity() {
        let table = table(answers: 10)
        for number in 0..<5000 {
            #expect(table.begin(key(number), fingerprint: "a") == .publish(after: []))
            table.end(key(number), positions, isDone: true)
        }
        #expect(table.count == 10)
        #expect(table.begin(key(4990), fingerprint: "a") == .answer(positions))
        #expect(table.begin(key(4989), fingerprint: "a") == .publish(after: []))
    }
}
