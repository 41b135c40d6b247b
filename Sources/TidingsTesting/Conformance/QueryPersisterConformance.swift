public import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// What every ``TidingsQuery/QueryPersister`` promises.
public enum QueryPersisterConformance {
    /// Each check needs an empty persister of its own.
    public static let checks: [ConformanceCheck<any QueryPersister>] = [
        roundTrip, selection, encodings, newer, otherFormat, tooOld, remove, removeBelow, removeAll, removedThenSaved,
        invalidate,
        invalidateBelow, invalidateAll, savedThenInvalidated, mutations,
    ]

    // MARK: Entries

    private static let roundTrip = check("an entry comes back as it was") { persister in
        let entry = entry(["a", 1], "5", isInvalidated: true)
        try await save(persister, .save(entry))
        let found = try await all(persister)
        try expect(found.map(\.key), [#"["a",1]"#], "the keys")
        try expect(found.map(\.value), [entry.value], "the values")
        try expect(found.map(\.valueType), ["Int"], "the types of the values")
        try expect(found.map(\.updatedAt), [entry.updatedAt], "their ages")
        try expect(found.map(\.version), [7], "their versions")
        try expect(found.map(\.isInvalidated), [true], "whether they are out of date")
        try expect(found.map(\.metadata), [entry.metadata], "what was kept beside them")
    }

    private static let selection = check("entries are loaded as they are selected") { persister in
        try await save(persister, .save(entry(["a"])), .save(entry(["b"])), .save(entry(["c"])))
        let first = try await persister.load(.keys([["b"], ["x"]]), in: scope())
        try expect(first.entries.map(\.key), [#"["b"]"#], "the entries of some keys")
        let rest = try await persister.load(.allExcept([["b"]]), in: scope())
        try expect(Set(rest.entries.map(\.key)), [#"["a"]"#, #"["c"]"#], "all others")
    }

    private static let newer = check("a newer entry is not replaced by an older one") { persister in
        try await save(persister, .save(entry(["a"], "new")))
        try await save(persister, .save(entry(["a"], "old", age: 10)))
        try expect(try await all(persister).map(\.value), [Data("new".utf8)], "the value")
    }

    private static let otherFormat = check("entries of another format are of no use") { persister in
        try await save(persister, .save(entry(["a"])))
        try await persister.save([.save(entry(["a"], "other", age: 10))], in: scope("2"))
        let found = try await persister.load(.allExcept([]), in: scope("2"))
        try expect(found.entries.map(\.value), [Data("other".utf8)], "the value of the newer format")
        try expect(try await all(persister).count, 0, "entries of the older format")
    }

    private static let tooOld = check("entries that are too old are of no use") { persister in
        try await save(persister, .save(entry(["old"], age: 101)), .save(entry(["new"], age: 99)))
        let found = try await persister.load(.allExcept([]), in: scope(maxAge: 100))
        try expect(found.entries.map(\.key), [#"["new"]"#], "the entries")
    }

    private static let encodings = check("texts that are encoded differently are different keys") { persister in
        let keys: [QueryKey] = [["\u{E9}"], ["e\u{301}"]]
        try await save(persister, .save(entry(keys[0], "0")), .save(entry(keys[1], "1")))
        let first = try await persister.load(.keys([keys[0]]), in: scope())
        try expect(first.entries.map(\.value), [Data("0".utf8)], "the value of one key")
        let rest = try await persister.load(.allExcept([keys[0]]), in: scope())
        try expect(rest.entries.map(\.value), [Data("1".utf8)], "the value of the other")
        try await save(persister, .remove(.exactly(keys[1])))
        try expect(try await all(persister).map(\.value), [Data("0".utf8)], "what is left")
    }

    // MARK: Keys

    private static let keys: [QueryKey] = [
        ["a"], ["a", 1], ["a", 10], ["a", "x"], ["a", ["m": 1, "n": 2]], ["a", ["m": 2]], ["ab"], ["b", "a"],
    ]

    private static let remove = check("an entry is removed by its key") { persister in
        try await removes(persister, .exactly(["a"])) { $0 == ["a"] }
        try await removes(persister, .exactly(["a", ["m": 2]])) { $0 == ["a", ["m": 2]] }
    }

    private static let removeBelow = check("everything at a key and below it is removed") { persister in
        try await removes(persister, .under(["a", 1])) { $0 == ["a", 1] }
        try await removes(persister, .under(["a", ["m": 1]])) { $0 == ["a", ["m": 1, "n": 2]] }
        try await removes(persister, .under(["a"])) { $0.segments.first == "a" }
    }

    private static let removeAll = check("everything is removed") { persister in
        try await removes(persister, .under([])) { _ in true }
    }

    private static let removedThenSaved = check("changes are made in order") { persister in
        try await save(persister, .save(entry(["a"], "new")))
        try await save(persister, .remove(.under([])), .save(entry(["a"], "old", age: 10)))
        try expect(try await all(persister).map(\.value), [Data("old".utf8)], "the value")
    }

    private static let invalidate = check("an entry is marked as out of date by its key") { persister in
        try await invalidates(persister, .exactly(["a"])) { $0 == ["a"] }
    }

    private static let invalidateBelow = check("everything at a key and below it is marked") { persister in
        try await invalidates(persister, .under(["a", ["m": 1]])) { $0 == ["a", ["m": 1, "n": 2]] }
        try await invalidates(persister, .under(["a"])) { $0.segments.first == "a" }
    }

    private static let invalidateAll = check("everything is marked") { persister in
        try await invalidates(persister, .under([])) { _ in true }
    }

    private static let savedThenInvalidated = check("what is marked is replaced by what is as old") { persister in
        try await save(persister, .save(entry(["a"])), .invalidate(.under(["a"])))
        try expect(try await all(persister).map(\.isInvalidated), [true], "whether it is out of date")
        try await save(persister, .save(entry(["a"])))
        try expect(try await all(persister).map(\.isInvalidated), [false], "whether it is out of date")
    }

    private static func removes(
        _ persister: any QueryPersister,
        _ keys: PersistedKeys,
        _ isGone: (QueryKey) -> Bool
    ) async throws {
        try await persister.save(Self.keys.map { .save(entry($0)) }, in: scope())
        try await save(persister, .remove(keys))
        let left = Set(Self.keys.filter { !isGone($0) }.map(\.description))
        try expect(Set(try await all(persister).map(\.key)), left, "what is left after \(keys) was removed")
    }

    private static func invalidates(
        _ persister: any QueryPersister,
        _ keys: PersistedKeys,
        _ isMarked: (QueryKey) -> Bool
    ) async throws {
        try await persister.save(Self.keys.map { .save(entry($0)) }, in: scope())
        try await save(persister, .invalidate(keys))
        let marked = Set(Self.keys.filter(isMarked).map(\.description))
        let found = try await all(persister).filter(\.isInvalidated).map(\.key)
        try expect(Set(found), marked, "what is out of date after \(keys)")
    }

    // MARK: Mutations

    private static let mutations = check("mutations come by their order, with what they failed with") { persister in
        func mutation(_ name: String, _ order: Int64) -> PersistedMutation {
            PersistedMutation(
                identifier: MutationIdentifier(name),
                name: name,
                input: Data([1, 2]),
                idempotencyKey: "key of \(name)",
                submittedAt: start,
                order: order
            )
        }
        for (name, order) in [("a", 2), ("m", 3), ("z", 1), ("b", 4)] {
            try await persister.save(mutation(name, Int64(order)))
        }
        // One that is tried once more goes to the end.
        var failed = mutation("a", .max)
        failed.failure = "no"
        failed.metadata["basis"] = "3"
        try await persister.save(failed)
        try await persister.removeMutation(MutationIdentifier("m"))
        try await persister.removeMutation(MutationIdentifier("never there"))
        let found = try await persister.loadMutations().mutations
        try expect(found.map(\.name), ["z", "b", "a"], "the mutations")
        try expect(found.map(\.failure), [nil, nil, "no"], "what they failed with")
        try expect(found.map { $0.metadata["basis"] }, [nil, nil, "3"], "what they have kept")
        try expect(found.map(\.input), Array(repeating: Data([1, 2]), count: 3), "their inputs")
        try expect(found.map(\.idempotencyKey), ["key of z", "key of b", "key of a"], "their keys")
        try expect(found.map(\.submittedAt), Array(repeating: start, count: 3), "when they were asked for")
    }

    // MARK: Parts

    private static let start = Date(timeIntervalSince1970: 1_700_000_000)

    private static func entry(
        _ key: QueryKey,
        _ value: String = "1",
        age: Double = 0,
        isInvalidated: Bool = false
    ) -> PersistedEntry {
        var metadata = QueryMetadata()
        metadata["position"] = "12-7"
        return PersistedEntry(
            key: key.description,
            value: Data(value.utf8),
            valueType: "Int",
            updatedAt: start.addingTimeInterval(-age),
            version: 7,
            isInvalidated: isInvalidated,
            metadata: metadata
        )
    }

    private static func scope(_ buster: String = "", maxAge: Double = 86_400) -> PersistenceScope {
        PersistenceScope(buster: buster, oldest: start.addingTimeInterval(-maxAge))
    }

    private static func save(_ persister: any QueryPersister, _ changes: PersistedChange...) async throws {
        try await persister.save(changes, in: scope())
    }

    private static func all(_ persister: any QueryPersister) async throws -> [PersistedEntry] {
        try await persister.load(.allExcept([]), in: scope()).entries
    }

    private static func check(
        _ description: String,
        _ body: @escaping @Sendable (any QueryPersister) async throws -> Void
    ) -> ConformanceCheck<any QueryPersister> {
        ConformanceCheck(description, body: body)
    }
}
