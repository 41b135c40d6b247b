/// What the doctor finds about one thing.
struct Finding: Sendable, Equatable {
    /// What is looked at, in this order.
    enum Check: String, CaseIterable, Sendable {
        case connection, certificate, upgrade, origin, readiness, authentication, ping, subscription, broadcast
    }

    enum Result: Sendable, Equatable {
        case fine(String)
        case wrong(Problem)
        case skipped(String)
    }

    let check: Check
    let result: Result

    var isWrong: Bool {
        if case .wrong = result { return true }
        return false
    }

    /// What a person reads.
    var text: String {
        let name = check.rawValue.padded(to: 15)
        return switch result {
        case .fine(let detail): "ok    \(name)\(detail)"
        case .skipped(let reason): "skip  \(name)\(reason)"
        case .wrong(let problem):
            "WRONG \(name)\(problem.code): \(problem.what)\n      \("".padded(to: 15))\(problem.remedy)"
        }
    }
}

/// Something that is wrong.
struct Problem: Sendable, Error, Equatable {
    /// For programs: stable, in snake case.
    let code: String
    /// What was seen.
    let what: String
    /// What to do.
    let remedy: String

    init(_ code: String, _ what: String, _ remedy: String) {
        self.code = code
        self.what = what
        self.remedy = remedy
    }
}

extension String {
    /// With spaces behind it.
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(width - count, 1))
    }
}
