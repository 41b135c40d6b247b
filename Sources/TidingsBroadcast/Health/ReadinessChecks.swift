import Synchronization

/// What has to work for a server to take traffic. Parts register their checks; `GET /readyz` runs them.
///
/// ```swift
/// readiness.register("database") { try await database.ping() }
/// ```
///
/// All methods can be called from any task or thread at any time.
public final class ReadinessChecks: Sendable {
    /// Returns if the part works and throws what is wrong otherwise.
    public typealias Check = @Sendable () async throws -> Void

    /// A part that does not work.
    public struct Failure: Hashable, Sendable {
        /// The part's name.
        public let part: String
        /// What its check threw, in words.
        public let reason: String
    }

    /// Tells how a part fares, in numbers that everybody may see.
    public typealias Details = @Sendable () -> [String: Int]

    private struct Part {
        let name: String
        let check: Check
        let details: Details?
    }

    private let parts = Mutex<[Part]>([])

    /// Makes a list without checks: everything is ready.
    public init() {}

    /// Adds a part.
    ///
    /// - Parameters:
    ///   - part: Names it in the answer of `GET /readyz`. A second part of the same name takes the first one's place.
    ///   - details: How it fares, in numbers that everybody may see; nil: nothing is shown of it.
    ///   - check: Returns if the part works and throws what is wrong otherwise. It is cancelled after the deadline of
    ///     ``failures(deadline:)``.
    public func register(_ part: String, details: Details? = nil, check: @escaping Check) {
        parts.withLock { parts in
            parts.removeAll { $0.name == part }
            parts.append(Part(name: part, check: check, details: details))
        }
    }

    /// The names of the parts, in the order in which they were registered.
    package var names: [String] { parts.withLock { $0.map(\.name) } }

    /// How the parts fare that tell it, by their names.
    public var details: [String: [String: Int]] {
        let telling = parts.withLock { parts in parts.compactMap { part in part.details.map { (part.name, $0) } } }
        return Dictionary(telling.map { ($0, $1()) }, uniquingKeysWith: { $1 })
    }

    /// Runs every check, all at the same time.
    ///
    /// - Parameter deadline: A check that has not returned by then has failed.
    /// - Returns: The parts that do not work, in the order in which they were registered.
    public func failures(deadline: Duration = .seconds(2)) async -> [Failure] {
        let parts = parts.withLock { $0 }
        return await withTaskGroup(of: (Int, Failure?).self) { group in
            for (index, part) in parts.enumerated() {
                group.addTask { (index, await Self.run(part.check, of: part.name, deadline: deadline)) }
            }
            return await group.reduce(into: [(Int, Failure?)]()) { $0.append($1) }
                .sorted { $0.0 < $1.0 }.compactMap(\.1)
        }
    }

    private static func run(_ check: @escaping Check, of part: String, deadline: Duration) async -> Failure? {
        await withTaskGroup(of: Failure?.self) { group in
            group.addTask {
                do {
                    try await check()
                    return nil
                } catch {
                    return Failure(part: part, reason: "\(error)")
                }
            }
            group.addTask {
                try? await Task.sleep(for: deadline)
                return Failure(part: part, reason: "no answer within \(deadline)")
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
