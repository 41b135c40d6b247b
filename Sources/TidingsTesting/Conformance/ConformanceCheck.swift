/// One promise of a protocol, checked against whatever makes it. Suites list theirs, so that any test framework can run
/// them one by one:
///
/// ```swift
/// @Test(arguments: BroadcastBackendConformance.checks)
/// func conforms(_ check: ConformanceCheck<any BroadcastBackend>) async throws {
///     try await check.run(against: MyBackend())
/// }
/// ```
public struct ConformanceCheck<Subject: Sendable>: Sendable, CustomStringConvertible {
    /// What is promised, as a sentence.
    public let description: String
    private let body: @Sendable (Subject) async throws -> Void

    init(_ description: String, body: @escaping @Sendable (Subject) async throws -> Void) {
        self.description = description
        self.body = body
    }

    /// Checks a subject that was made for this check alone.
    ///
    /// - Parameter subject: What makes the promise.
    /// - Throws: ``ConformanceFailure`` if it is not kept, or what the subject throws.
    public func run(against subject: Subject) async throws {
        try await body(subject)
    }
}

/// A promise that was not kept.
public struct ConformanceFailure: Error, CustomStringConvertible, Sendable {
    /// What was expected and what happened.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Fails a check unless two values are equal.
func expect<Value: Equatable>(_ actual: Value, _ expected: Value, _ what: String) throws {
    guard actual == expected else {
        throw ConformanceFailure("\(what): expected \(expected), found \(actual)")
    }
}
