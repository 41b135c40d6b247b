import Synchronization
import TidingsWire

extension BroadcastHub {
    /// Keeps errors from now on, for who shows them to operators. Doing it again changes nothing.
    ///
    /// - Parameter count: How many at the most.
    /// - Returns: Where they are kept.
    package func keepErrors(atMost count: Int) -> RecentErrors {
        keptErrors.storeIfNil(RecentErrors(capacity: count, now: configuration.now))
    }

    /// Something failed in the server or behind it.
    func failed(_ error: any Error, code: String, _ message: String) {
        guard let errors = keptErrors.load(), !(error is CancellationError) else { return }
        switch error {
        // What these say is known to have no values in it.
        case let error as BroadcastError: errors.record(.server, code: error.code.rawValue, error.message)
        case let error as FeedError: errors.record(.server, code: error.code.rawValue, error.message)
        default: errors.record(.server, code: code, "\(message) (\(type(of: error)))")
        }
    }

    /// A client is told that it did something wrong.
    func refused(_ message: ServerMessage) {
        guard let errors = keptErrors.load() else { return }
        switch message {
        case .error(let error, _): errors.record(.client, code: error.code.rawValue, error.message)
        case .reply(let reply):
            // One message may name thousands of channels.
            for error in Set(reply.refused.lazy.map(\.withoutChannel).prefix(Self.refusalsLookedAt)) {
                errors.record(.client, code: error.code.rawValue, error.message)
            }
        default: break
        }
    }

    private static var refusalsLookedAt: Int { 100 }

    /// A client's session is closed.
    func closed(_ code: CloseCode, reason: String) {
        // Without a reason the client closes it; the others are no errors.
        guard !reason.isEmpty, ![.normal, .goingAway, .draining, .closedByOperator].contains(code) else { return }
        keptErrors.load()?.record(.client, code: "closed_\(code)", reason)
    }
}

extension WireError {
    /// Clients write the names of channels.
    fileprivate var withoutChannel: WireError { WireError(code, message) }
}
