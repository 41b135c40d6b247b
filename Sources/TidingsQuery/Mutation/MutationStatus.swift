#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Which mutation something is about.
public struct MutationIdentifier: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Sixteen hexadecimal digits, the same after a restart.
    public let description: String

    init(bits: UInt64) {
        let digits = String(bits, radix: 16)
        description = String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Takes an identifier from storage.
    ///
    /// - Parameter description: What ``description`` gave.
    public init(_ description: String) {
        self.description = description
    }
}

/// Where a mutation is.
public enum MutationStatus: Hashable, Sendable {
    /// Not asked for yet; only a ``MutationObserver`` is ever here.
    case idle
    /// Waits for the network, or for others of its scope.
    case queued
    /// On its way.
    case sending
    /// An attempt failed; the next one comes at this time.
    case waitingForRetry(until: Date)
    /// Failed for good. One that is stored stays until somebody retries or discards it.
    case needsAttention
    /// Made by the server.
    case confirmed

    /// Whether it is neither over nor not begun.
    public var isPending: Bool {
        switch self {
        case .queued, .sending, .waitingForRetry: true
        case .idle, .needsAttention, .confirmed: false
        }
    }
}

/// A mutation as a list or a filter sees it.
public struct MutationInfo: Sendable {
    /// Which one it is.
    public let identifier: MutationIdentifier
    /// What kind of mutation it is.
    public let name: String?
    /// Where it is.
    public let status: MutationStatus
    /// Among which others it is in order.
    public let scope: String?
    /// When it was asked for.
    public let submittedAt: Date
    /// How many attempts have failed.
    public let failureCount: Int
    /// What the last attempt failed with.
    public let failureReason: (any Error)?
    /// The same for all attempts.
    public let idempotencyKey: String
    /// When the server's confirmation came, in the order of fetches: what was asked for after that has the change in it.
    /// Nil if it has not come.
    public let confirmation: QueryEpoch?
}
