import Synchronization

/// Something outside that is so or is not, such as whether the device is online. Conform a type of your platform to it, or
/// set a ``Condition``.
public protocol ConditionSource: Sendable {
    /// Whether it is so now.
    var isTrue: Bool { get }

    /// Calls a handler each time it changes, for as long as the result is kept.
    ///
    /// - Parameter handler: Gets the new value. It may be called on any thread, one call at a time.
    func onChange(_ handler: @escaping @Sendable (Bool) -> Void) -> ConditionObservation
}

/// Keeps a handler of a ``ConditionSource`` until it is released.
public final class ConditionObservation: Sendable {
    private let end: @Sendable () -> Void

    /// Makes an observation.
    ///
    /// - Parameter end: Called when nobody keeps it any more.
    public init(end: @escaping @Sendable () -> Void) {
        self.end = end
    }

    deinit {
        end()
    }
}

/// A ``ConditionSource`` that is set by hand.
///
/// ```swift
/// let online = Condition(true)
/// let client = QueryClient(.init { $0.connectivity = online })
/// pathMonitor.pathUpdateHandler = { online.set($0.status == .satisfied) }
/// ```
public final class Condition: ConditionSource {
    private struct State {
        var value: Bool
        var handlers: [UInt64: @Sendable (Bool) -> Void] = [:]
        var lastIdentifier: UInt64 = 0
    }

    private let state: Mutex<State>

    /// Makes a condition.
    ///
    /// - Parameter value: Whether it is so at first.
    public init(_ value: Bool) {
        state = Mutex(State(value: value))
    }

    /// Whether it is so now.
    public var isTrue: Bool { state.withLock(\.value) }

    /// Says whether it is so. Handlers are called before this returns, and only if it is news.
    public func set(_ value: Bool) {
        let handlers = state.withLock { state -> [@Sendable (Bool) -> Void] in
            guard state.value != value else { return [] }
            state.value = value
            return state.handlers.sorted { $0.key < $1.key }.map(\.value)
        }
        for handler in handlers { handler(value) }
    }

    /// Calls a handler each time it changes, for as long as the result is kept.
    public func onChange(_ handler: @escaping @Sendable (Bool) -> Void) -> ConditionObservation {
        let identifier = state.withLock { state in
            state.lastIdentifier += 1
            state.handlers[state.lastIdentifier] = handler
            return state.lastIdentifier
        }
        return ConditionObservation { [weak self] in
            self?.state.withLock { $0.handlers[identifier] = nil }
        }
    }
}
