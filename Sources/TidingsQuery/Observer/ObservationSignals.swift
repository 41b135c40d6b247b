import Observation
import Synchronization

/// Tells `Observation` what of an observer was read and what has changed.
///
/// It stands in for the generic observer itself, whose key paths would have to be made anew for each use.
final class ObservationSignals: Observable, Sendable {
    /// What can be told apart.
    struct Signal: OptionSet {
        let rawValue: UInt8

        static let snapshot = Signal(rawValue: 1)
        static let data = Signal(rawValue: 2)
        static let error = Signal(rawValue: 4)
        static let status = Signal(rawValue: 8)
        static let fetchStatus = Signal(rawValue: 16)
    }

    private let registrar = ObservationRegistrar()
    /// What was ever read: nobody has to be told of the rest.
    private let known = Atomic<UInt8>(0)

    private var snapshot: Void { () }
    private var data: Void { () }
    private var error: Void { () }
    private var status: Void { () }
    private var fetchStatus: Void { () }

    func access(_ signal: Signal) {
        known.bitwiseOr(signal.rawValue, ordering: .relaxed)
        switch signal {
        case .data: registrar.access(self, keyPath: \.data)
        case .error: registrar.access(self, keyPath: \.error)
        case .status: registrar.access(self, keyPath: \.status)
        case .fetchStatus: registrar.access(self, keyPath: \.fetchStatus)
        default: registrar.access(self, keyPath: \.snapshot)
        }
    }

    func send(_ news: Signal) {
        let signals = news.intersection(Signal(rawValue: known.load(ordering: .relaxed)))
        if signals.contains(.snapshot) { registrar.withMutation(of: self, keyPath: \.snapshot) {} }
        if signals.contains(.data) { registrar.withMutation(of: self, keyPath: \.data) {} }
        if signals.contains(.error) { registrar.withMutation(of: self, keyPath: \.error) {} }
        if signals.contains(.status) { registrar.withMutation(of: self, keyPath: \.status) {} }
        if signals.contains(.fetchStatus) { registrar.withMutation(of: self, keyPath: \.fetchStatus) {} }
    }
}
