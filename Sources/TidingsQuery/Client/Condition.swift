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
        /// What was set and not everybody was told of.
        var news: [Bool] = []
        var isTelling = false
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

    /// Says whether it is so. Handlers are called before this returns, and only if it is news. If they are being called
    /// already, on another thread or further up on this one, they are called there, once they have heard of what came
    /// before.
    public func set(_ value: Bool) {
        state.withLock { state in
            guard state.value != value else { return }
            state.value = value
            state.news.append(value)
        }
        while let (value, handlers) = nextNews() {
            for handler in handlers { handler(value) }
            state.withLock { $0.isTelling = false }
        }
    }

    private func nextNews() -> (Bool, [@Sendable (Bool) -> Void])? {
        state.withLock { state in
            guard !state.isTelling, !state.news.isEmpty else { return nil }
            state.isTelling = true
            return (state.news.removeFirst(), state.handlers.sorted { $0.key < $1.key }.map(\.value))
        }
    }

    /// Calls a handler each time it changes, for as long as the result is kept.
    public func onChange(_ handler: @escaping @Sendable (Bool) -> Void) -> ConditionObservation {
        let identifier = state.withLock { state in
            state.lastIdentifier += 1
            state.handlers[state.lastIdentifier] = handler
            return state.lastIdentifier
        }
        return ConditionObservation { [weak self] in
            _ = self?.state.withLock { $0.handlers.removeValue(forKey: identifier) }
        }
    }
}
