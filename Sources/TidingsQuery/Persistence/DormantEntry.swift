#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// An entry that came back from storage and waits, encoded, for somebody who knows the type of its value.
final class DormantEntry: AnyEntry {
    private(set) var stored: PersistedEntry
    private var isMarked: Bool
    private var notes: QueryMetadata

    init(_ stored: PersistedEntry, key: QueryKey, identifier: UInt64, at moment: Timestamp) {
        self.stored = stored
        isMarked = stored.isInvalidated
        notes = stored.metadata
        super.init(key: key, identifier: identifier, at: moment)
        cost = stored.value.count
        // Until somebody asks for it, nobody has said how long to keep it.
        gcTime = .infinite
    }

    override var status: QueryStatus { .success }
    override var hasData: Bool { true }
    override var isInvalidated: Bool { isMarked }
    override var isUntouched: Bool { true }
    override var updatedAt: Timestamp? { Timestamp(stored.updatedAt) }
    override var baseVersion: Int64? { stored.version }
    override var metadata: QueryMetadata { notes }

    override func holds<Value: Sendable>(_ type: Value.Type) -> Bool {
        stored.valueType == ValueTraits<Value>.name
    }

    override func isStale(_ staleTime: StaleTime, at moment: Timestamp) -> Bool {
        staleTime.isOver(for: updatedAt, isInvalidated: isMarked, at: moment)
    }

    override func invalidate(asOf epoch: QueryEpoch) -> InvalidationOutcome {
        isMarked = true
        return .marked
    }

    override func setMetadata(_ metadata: QueryMetadata) {
        notes = metadata
    }

    /// Whoever asks for it next brings what it begins with.
    override func reset(to initials: [UInt64: any Sendable], in cache: inout Cache) {
        cache.remove(self, isForgotten: true)
    }

    /// Something newer has come.
    func replace(with newer: PersistedEntry) {
        stored = newer
        isMarked = newer.isInvalidated
        notes = newer.metadata
    }

    override func record() -> UnencodedRecord? {
        let value = stored.value
        return UnencodedRecord(
            key: key,
            valueType: stored.valueType,
            updatedAt: Timestamp(stored.updatedAt),
            version: stored.version,
            isInvalidated: isMarked,
            metadata: notes,
            encode: { value }
        )
    }

    /// What is known of the data now.
    var restored: QueryMachineRestored {
        QueryMachineRestored(
            updatedAt: Timestamp(stored.updatedAt),
            version: stored.version,
            isInvalidated: isMarked,
            metadata: notes
        )
    }
}

/// An entry on its way to storage. Encoding runs a caller's function, so it waits until the critical section is over.
struct UnencodedRecord: Sendable {
    let key: QueryKey
    let valueType: String?
    let updatedAt: Timestamp
    let version: Int64?
    var isInvalidated: Bool
    let metadata: QueryMetadata
    let encode: @Sendable () throws -> Data

    func encoded() throws -> PersistedEntry {
        PersistedEntry(
            key: key.description,
            value: try encode(),
            valueType: valueType,
            updatedAt: updatedAt.date,
            version: version,
            isInvalidated: isInvalidated,
            metadata: metadata
        )
    }
}
