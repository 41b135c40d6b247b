/// Somebody else has changed an entity since the version that a change was based on. The change was not made.
public struct EntityConflict<Entity: Sendable>: Error, RetryClassified {
    /// The entity as it is at the server now. It is in the cache, too.
    public let current: Entity
    /// What the server said.
    public let cause: APIError

    /// The same change would be refused again.
    public var retryDisposition: RetryDisposition { .permanent }
}

extension EntityConflict: CustomStringConvertible {
    /// What the server said. The entity is left out: descriptions end up in logs.
    public var description: String { cause.description }
}

extension APIError: RetryClassified {
    /// Whether trying again can help: ``APIError/isTransient``. A server's word on when is taken for up to half a minute:
    /// nothing that is on a screen waits for longer.
    public var retryDisposition: RetryDisposition {
        isTransient ? .transient(after: retryAfter.map { min($0, .seconds(30)) }) : .permanent
    }
}
