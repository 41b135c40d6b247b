#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Keeps entries and mutations across restarts, each on its own.
///
/// A client calls the methods for entries one at a time, and those for single mutations also meanwhile. Methods may throw at
/// any time: the client logs it, goes on, and comes again later with the entries that were not stored and the mutations that
/// were not forgotten.
public protocol QueryPersister: Sendable {
    /// Loads entries.
    ///
    /// - Parameters:
    ///   - selection: Which ones. A client asks for those on screen first, and then for the others.
    ///   - scope: What is still of use. Everything else should be deleted.
    /// - Returns: What can be read; what cannot is deleted and told of.
    func load(_ selection: PersistedSelection, in scope: PersistenceScope) async throws -> PersistedEntries

    /// Stores changes, in order, all of them or none. An entry that is already stored is replaced if the new one is not
    /// older.
    func save(_ changes: [PersistedChange], in scope: PersistenceScope) async throws

    /// Loads the mutations that were not confirmed.
    ///
    /// - Returns: What can be read, by ``PersistedMutation/order``; what cannot is deleted and told of.
    func loadMutations() async throws -> PersistedMutations

    /// Stores a mutation, or replaces it.
    func save(_ mutation: PersistedMutation) async throws

    /// Forgets a mutation.
    func removeMutation(_ identifier: MutationIdentifier) async throws
}

/// Which stored entries to load.
public enum PersistedSelection: Sendable {
    /// Those of some keys.
    case keys([QueryKey])
    /// All but those of some keys.
    case allExcept([QueryKey])
}

/// Which stored entries are of use.
public struct PersistenceScope: Hashable, Sendable {
    /// Marks the format: what was stored with another one is of no use.
    public let buster: String
    /// What is older is of no use.
    public let oldest: Date

    /// Makes a scope.
    public init(buster: String, oldest: Date) {
        self.buster = buster
        self.oldest = oldest
    }
}

/// An entry as it is stored.
public struct PersistedEntry: Sendable, Codable {
    /// The name of the entry, in its canonical form.
    public let key: String
    /// The encoded value.
    public let value: Data
    /// The name of the value's type, by which entries are found before they are decoded; nil if it is not known.
    public let valueType: String?
    /// When the value was set or fetched.
    public let updatedAt: Date
    /// The version of the value, if its query says it.
    public let version: Int64?
    /// Whether somebody said that it is out of date.
    public var isInvalidated: Bool
    /// What the fetch kept beside the value.
    public let metadata: QueryMetadata

    /// Makes an entry.
    public init(
        key: String,
        value: Data,
        valueType: String? = nil,
        updatedAt: Date,
        version: Int64?,
        isInvalidated: Bool,
        metadata: QueryMetadata
    ) {
        self.key = key
        self.value = value
        self.valueType = valueType
        self.updatedAt = updatedAt
        self.version = version
        self.isInvalidated = isInvalidated
        self.metadata = metadata
    }
}

/// What was loaded.
public struct PersistedEntries: Sendable {
    /// What can be read.
    public var entries: [PersistedEntry]
    /// The keys, as they are stored, of what could not be read.
    public var corrupt: [String]

    /// Makes a result.
    public init(entries: [PersistedEntry] = [], corrupt: [String] = []) {
        self.entries = entries
        self.corrupt = corrupt
    }
}

/// The mutations that were loaded.
public struct PersistedMutations: Sendable {
    /// What can be read.
    public var mutations: [PersistedMutation]
    /// The identifiers, as they are stored, of what could not be read.
    public var corrupt: [String]

    /// Makes a result.
    public init(mutations: [PersistedMutation] = [], corrupt: [String] = []) {
        self.mutations = mutations
        self.corrupt = corrupt
    }
}

/// A mutation as it is stored.
public struct PersistedMutation: Sendable, Codable {
    /// Which one it is.
    public let identifier: MutationIdentifier
    /// What kind of mutation it is.
    public let name: String
    /// The encoded input.
    public let input: Data
    /// The same for all attempts.
    public let idempotencyKey: String
    /// When it was asked for.
    public let submittedAt: Date
    /// Its place among the others: what is to be sent later has a greater one.
    public let order: Int64
    /// What its function has kept for the next attempt.
    public var metadata: QueryMetadata
    /// What it failed with, for a person to read; nil if it has not failed for good.
    public var failure: String?

    /// Makes a stored mutation.
    public init(
        identifier: MutationIdentifier,
        name: String,
        input: Data,
        idempotencyKey: String,
        submittedAt: Date,
        order: Int64,
        metadata: QueryMetadata = QueryMetadata(),
        failure: String? = nil
    ) {
        self.identifier = identifier
        self.name = name
        self.input = input
        self.idempotencyKey = idempotencyKey
        self.submittedAt = submittedAt
        self.order = order
        self.metadata = metadata
        self.failure = failure
    }
}

/// How entries are kept across restarts.
public struct PersistenceOptions: Sendable {
    /// What is older is not restored.
    public var maxAge: Duration = .seconds(86_400)
    /// What was stored with another text is not restored: change it when values change their form.
    public var buster = ""
    /// How long changes are collected before they are stored.
    public var saveDelay: Duration = .seconds(1)

    /// Starts with the defaults.
    public init() {}
}
