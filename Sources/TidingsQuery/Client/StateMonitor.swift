import Synchronization

/// Watches a state outside that holds or does not: the network is there, the application is in front. Make one of what your
/// platform has, such as `NWPathMonitor`, or set a ``ManualMonitor``.
public protocol StateMonitor: Sendable {
    /// Whether the state holds now.
    var isActive: Bool { get }

    /// Calls a handler each time it changes, for as long as the result is kept.
    ///
    /// - Parameter handler: Gets the new value. It may be called on any thread, one call at a time.
    func onChange(_ handler: @escaping @Sendable (Bool) -> Void) -> MonitorObservation
}

/// Keeps a handler of a ``StateMonitor`` until it is released.
public final class MonitorObservation: Sendable {
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

/// A ``StateMonitor`` that is set by hand.
///
/// ```swift
/// let online = ManualMonitor(true)
/// let client = QueryClient(.init { $0.connectivity = online })
/// pathMonitor.pathUpdateHandler = { online.set($0.status == .satisfied) }
/// ```
public final class ManualMonitor: StateMonitor {
    private struct State {
        var value: Bool
        /// What was set and not everybody was told of.
        var news: [Bool] = []
        var isTelling = false
        var handlers: [UInt64: @Sendable (Bool) -> Void] = [:]
        var lastIdentifier: UInt64 = 0
    }

    private let state: Mutex<State>

    /// Makes a monitor.
    ///
    /// - Parameter value: Whether the state holds at first.
    public init(_ value: Bool) {
        state = Mutex(State(value: value))
    }

    /// Whether the state holds now.
    public var isActive: Bool { state.withLock(\.value) }

    /// Says whether the state holds. Handlers are called before this returns, and only if it is news. If they are being called
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
    public func onChange(_ handler: @escaping @Sendable (Bool) -> Void) -> MonitorObservation {
        let identifier = state.withLock { state in
            state.lastIdentifier += 1
            state.handlers[state.lastIdentifier] = handler
            return state.lastIdentifier
        }
        return MonitorObservation { [weak self] in
            _ = self?.state.withLock { $0.handlers.removeValue(forKey: identifier) }
        }
    }
}
