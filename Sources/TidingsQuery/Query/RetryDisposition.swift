/// Whether trying again can help after an error.
public enum RetryDisposition: Hashable, Sendable {
    /// It can: after the given time if the server named one, otherwise after the policy's delay.
    case transient(after: Duration? = nil)
    /// It cannot: the same request will be answered in the same way.
    case permanent
}

/// An error that knows whether trying again can help.
///
/// ```swift
/// extension HTTPError: RetryClassified {
///     var retryDisposition: RetryDisposition { status >= 500 ? .transient() : .permanent }
/// }
/// ```
public protocol RetryClassified: Error {
    /// Whether trying again can help.
    var retryDisposition: RetryDisposition { get }
}

extension RetryDisposition {
    /// What an error says of itself. An error that says nothing is transient; a cancellation is permanent.
    ///
    /// - Parameter error: What an attempt threw.
    public init(of error: any Error) {
        self =
            switch error {
            case let error as any RetryClassified: error.retryDisposition
            case is CancellationError: .permanent
            default: .transient()
            }
    }
}
