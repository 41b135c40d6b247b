import Foundation
import NIOCore
import Testing

@testable import TidingsHummingbird

@Suite("Guesses of the console's secret")
struct ConsoleGuessesTests {
    private let moment = Moment()

    private func guesses(burst: Int) -> ConsoleGuesses {
        ConsoleGuesses(burst: burst) { [moment] in moment.now }
    }

    @Test("so many are looked at without a pause, then one a second, whoever tries meanwhile")
    func limited() {
        let guesses = guesses(burst: 5)
        for _ in 0..<5 { #expect(guesses.wait() == nil) }
        for _ in 0..<100 { #expect(guesses.wait() == .seconds(1)) }
        moment.pass(.milliseconds(999))
        #expect(guesses.wait() == .milliseconds(1))
        moment.pass(.milliseconds(1))
        #expect(guesses.wait() == nil)
        #expect(guesses.wait() == .seconds(1))
        moment.pass(.seconds(3600))
        for _ in 0..<5 { #expect(guesses.wait() == nil) }
        #expect(guesses.wait() != nil)
    }

    @Test("a secret that is right is not looked at either while it is limited, and is taken afterwards")
    func access() throws {
        let secret = "the secret of those who operate it"
        let access = ConsoleAccess(try Console(secret: secret), guesses: guesses(burst: 2))
        for text in ["", String(secret.dropLast()), secret + "x"].prefix(2) {
            guard case .refused = access.decide(text) else { return #expect(Bool(false), "\(text.count)") }
        }
        guard case .limited(let wait) = access.decide(secret) else { return #expect(Bool(false)) }
        moment.pass(wait)
        for _ in 0..<10 {
            guard case .allowed = access.decide(secret) else { return #expect(Bool(false)) }
        }
    }

    @Test("passes are known until they end, and no more of them than there may be")
    func passes() {
        let (guesses, start) = (guesses(burst: 1), Date(timeIntervalSince1970: 1_000_000))
        for number in 0..<100 { guesses.learn("\(number)", until: start.addingTimeInterval(60)) }
        guesses.learn("soon", until: start.addingTimeInterval(1))
        #expect(!guesses.knows("0", at: start))
        #expect(guesses.knows("99", at: start))
        #expect(guesses.knows("soon", at: start))
        #expect(!guesses.knows("soon", at: start.addingTimeInterval(1)))
        #expect(!guesses.knows("99", at: start.addingTimeInterval(60)))
        #expect(!guesses.knows("", at: start))
    }
}
