import Synchronization
import Testing
import TidingsTesting

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A client on a clock that stands still and on an executor that waits: a test says what happens when.
final class Bench: Sendable {
    let clock = ManualClock()
    let executor = ManualExecutor()
    let online = ManualMonitor(true)
    let focus = ManualMonitor(true)
    let client: QueryClient
    /// An observer that nobody keeps ends.
    private let kept = Mutex<[any AnyObject & Sendable]>([])
    static let start = Date(timeIntervalSince1970: 1_700_000_000)

    init(startDate: Date = Bench.start, _ configure: (inout QueryClient.Configuration) -> Void = { _ in }) {
        var configuration = QueryClient.Configuration()
        configuration.clock = clock
        configuration.taskExecutor = executor
        configuration.connectivity = online
        configuration.focus = focus
        configuration.startDate = startDate
        configure(&configuration)
        client = QueryClient(configuration)
    }

    /// Lets everything happen that can.
    func settle() { executor.drain() }

    func advance(_ duration: Duration) {
        settle()
        clock.advance(by: duration)
        settle()
    }

    /// Begins something asynchronous, and lets it come as far as it does.
    @discardableResult
    func begin<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) -> Pending<Value> {
        let pending = Pending<Value>()
        let task = Task(executorPreference: executor) {
            do { pending.end(.success(try await body())) } catch { pending.end(.failure(error)) }
        }
        pending.keep(task)
        settle()
        return pending
    }

    @discardableResult
    func fetch<Value>(_ query: Query<Value>) -> Pending<Value> {
        begin { [client] in try await client.fetch(query) }
    }

    /// Gives the client time.
    @discardableResult
    func run() -> Pending<Void> {
        begin { [client] in await client.run() }
    }

    @discardableResult
    func observer<Value>(
        _ query: Query<Value>,
        isEnabled: Bool = true,
        placeholder: Placeholder<Value> = .none
    ) -> QueryObserver<Value> {
        let observer = QueryObserver(query, in: client, isEnabled: isEnabled, placeholder: placeholder)
        observer.start()
        kept.withLock { $0.append(observer) }
        settle()
        return observer
    }

    /// Collects what an observer's readers are told.
    func record<Value>(_ observer: QueryObserver<Value>) -> Recorded<QuerySnapshot<Value>> {
        let recorded = Recorded<QuerySnapshot<Value>>()
        let snapshots = observer.snapshots
        recorded.reading = begin {
            for await snapshot in snapshots { recorded.append(snapshot) }
        }
        return recorded
    }

    func events() -> Recorded<QueryEvent> {
        let recorded = Recorded<QueryEvent>()
        let events = client.events()
        recorded.reading = begin {
            for await event in events { recorded.append(event) }
        }
        return recorded
    }
}

/// Something that was begun.
final class Pending<Value: Sendable>: Sendable {
    private let state = Mutex<(result: Result<Value, any Error>?, task: Task<Void, Never>?)>((nil, nil))

    var result: Result<Value, any Error>? { state.withLock(\.result) }
    var value: Value? { try? result?.get() }
    var isOver: Bool { result != nil }
    var error: (any Error)? {
        guard case .failure(let error) = result else { return nil }
        return error
    }

    func cancel() { state.withLock(\.task)?.cancel() }
    fileprivate func end(_ result: Result<Value, any Error>) { state.withLock { $0.result = result } }
    fileprivate func keep(_ task: Task<Void, Never>) { state.withLock { $0.task = task } }
}

/// What came out of a sequence.
final class Recorded<Element: Sendable>: Sendable {
    private let state = Mutex<(elements: [Element], reading: Pending<Void>?)>(([], nil))

    var elements: [Element] { state.withLock(\.elements) }
    var count: Int { elements.count }
    var last: Element? { elements.last }
    var reading: Pending<Void>? {
        get { state.withLock(\.reading) }
        set { state.withLock { $0.reading = newValue } }
    }

    func append(_ element: Element) { state.withLock { $0.elements.append(element) } }
    func clear() { state.withLock { $0.elements = [] } }
    func stop() { reading?.cancel() }
}

/// Counts and remembers, from any thread.
final class Log<Element: Sendable>: Sendable {
    private let state = Mutex<[Element]>([])
    var entries: [Element] { state.withLock { $0 } }
    func add(_ element: Element) { state.withLock { $0.append(element) } }
}
