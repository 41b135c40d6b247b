import FoundationEssentials
import TidingsWire

/// How many sessions each subject has, and who is kept out.
struct SubjectTable {
    private var counts: [String: Int] = [:]
    /// Until when.
    private var keptOut: [String: Date] = [:]

    func count(of subject: String) -> Int { counts[subject] ?? 0 }

    mutating func add(_ subject: String) {
        counts[subject, default: 0] += 1
    }

    mutating func remove(_ subject: String) {
        let count = count(of: subject)
        counts[subject] = count > 1 ? count - 1 : nil
    }

    /// Those whose time is over are forgotten on the way.
    mutating func keepOut(_ subject: String, until end: Date, now: Date) {
        keptOut[subject] = end
        keptOut = keptOut.filter { $0.value > now }
    }

    /// Why the newest session of a subject has to go; nil if it may stay.
    ///
    /// - Parameter further: How many more there would be: none if it counts already.
    func refusal(
        of subject: String,
        counting further: Int = 0,
        atMost limit: Int?,
        now: Date
    ) -> SessionRefusal? {
        if let end = keptOut[subject], end > now {
            return SessionRefusal(code: .closedByOperator, reason: "an operator keeps this subject out")
        }
        if let limit, count(of: subject) + further > limit {
            return SessionRefusal(code: .connectionLimit, reason: "the subject has as many connections as it may")
        }
        return nil
    }
}

/// Why a session is closed as soon as it is there.
struct SessionRefusal: Hashable {
    let code: CloseCode
    let reason: String
}
