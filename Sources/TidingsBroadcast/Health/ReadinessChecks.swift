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

    fileprivate final class Part: Sendable {
        let name: String
        let check: Check
        let details: Details?
        let running = Mutex<CheckRun?>(nil)

        init(name: String, check: @escaping Check, details: Details?) {
            self.name = name
            self.check = check
            self.details = details
        }
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
    ///     ``failures(deadline:)``. One call at a time: who asks meanwhile waits for the same.
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
    /// - Parameter deadline: A check that has not returned by then has failed, and is not waited for any longer.
    /// - Returns: The parts that do not work, in the order in which they were registered.
    public func failures(deadline: Duration = .seconds(2)) async -> [Failure] {
        let parts = parts.withLock { $0 }
        return await withTaskGroup(of: (Int, Failure?).self) { group in
            for (index, part) in parts.enumerated() {
                group.addTask { (index, await Self.run(part, deadline: deadline)) }
            }
            return await group.reduce(into: [(Int, Failure?)]()) { $0.append($1) }
                .sorted { $0.0 < $1.0 }.compactMap(\.1)
        }
    }

    private static func run(_ part: Part, deadline: Duration) async -> Failure? {
        let run = part.currentRun()
        let outcome = await withTaskGroup(of: CheckRun.Outcome?.self) { group in
            group.addTask { await run.outcome() }
            group.addTask {
                try? await Task.sleep(for: deadline)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        switch outcome {
        case .works: return nil
        case .fails(let reason): return Failure(part: part.name, reason: reason)
        case nil:
            run.cancel()
            return Failure(part: part.name, reason: "no answer within \(deadline)")
        }
    }
}

extension ReadinessChecks.Part {
    /// The run that goes on, or else another one.
    fileprivate func currentRun() -> CheckRun {
        running.withLock { running in
            if let running, !running.isOver { return running }
            let run = CheckRun(check)
            running = run
            return run
        }
    }
}

/// A check while it runs, for all who wait for it. A check that cannot be cancelled is left to itself after the deadline:
/// who asks must be answered, above all when something hangs. There is one run of each at a time, so they do not add up.
private final class CheckRun: Sendable {
    enum Outcome: Sendable {
        case works
        case fails(String)
    }

    private let result = Mutex<Outcome?>(nil)
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let ended = AsyncCondition()

    init(_ check: @escaping ReadinessChecks.Check) {
        // Not a child of whoever waits: a task waits for its children, however long they take.
        task.withLock { task in
            task = Task {
                do {
                    try await check()
                    self.end(.works)
                } catch {
                    self.end(.fails("\(error)"))
                }
            }
        }
    }

    var isOver: Bool { result.withLock { $0 != nil } }

    func cancel() { task.withLock { $0 }?.cancel() }

    /// Nil if the task that waits was cancelled.
    func outcome() async -> Outcome? {
        await ended.wait { self.isOver }
        return result.withLock { $0 }
    }

    private func end(_ outcome: Outcome) {
        result.withLock { $0 = outcome }
        ended.changed()
    }
}
