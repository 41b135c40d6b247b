import Testing

@testable import TidingsQuery

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite("The state of an entry")
struct QueryMachineTests {
    private var machine = QueryMachine<Int>()
    private let start = Timestamp(nanoseconds: 1_000_000_000)

    private func arrival(_ seconds: Int = 0) -> DataArrival { DataArrival(moment: start + .seconds(seconds)) }

    private mutating func begin(_ identifier: UInt64 = 1, epoch: UInt64 = 1, isPaused: Bool = false) {
        machine.begin(
            identifier,
            epoch: QueryEpoch(epoch),
            isPaused: isPaused,
            direction: nil,
            continuesAfterFailure: false
        )
    }

    private mutating func succeed(_ value: Int) -> Bool {
        var overlay = machine.overlay
        let missed = overlay.arrive(value)
        return machine.succeed(
            overlay,
            arrival(),
            metadata: QueryMetadata(),
            missedChanges: missed,
            isSame: false
        )
    }

    private mutating func set(_ value: Int) {
        var overlay = machine.overlay
        overlay.replace(value)
        machine.set(overlay, arrival(), isSame: false)
    }

    @Test("two axes, all combinations")
    mutating func axes() {
        #expect(machine.status == .pending && machine.fetchStatus == .idle)
        begin(isPaused: true)
        #expect(machine.status == .pending && machine.fetchStatus == .paused)
        machine.attempt(epoch: QueryEpoch(2))
        #expect(machine.status == .pending && machine.fetchStatus == .fetching)
        machine.fail(TestError(), at: start)
        #expect(machine.status == .error && machine.fetchStatus == .idle)
        set(1)
        #expect(machine.status == .success && machine.fetchStatus == .idle)
        begin(isPaused: true)
        #expect(machine.status == .success && machine.fetchStatus == .paused)
        machine.attempt(epoch: QueryEpoch(3))
        #expect(machine.status == .success && machine.fetchStatus == .fetching)
        machine.fail(TestError(), at: start)
        begin()
        #expect(machine.status == .error && machine.fetchStatus == .fetching)
        machine.retryLater(after: TestError())
        machine.pause()
        #expect(machine.status == .error && machine.fetchStatus == .paused)
    }

    @Test(
        "stale: no data always, static never, else invalidated or old enough",
        arguments: [
            (nil, false, StaleTime.static, true), (nil, false, .infinite, true), (0, true, .static, false),
            (0, true, .infinite, true), (0, false, .infinite, false), (0, false, .zero, true),
            (4, false, .seconds(5), false), (5, false, .seconds(5), true), (0, true, .seconds(5), true),
        ] as [(Int?, Bool, StaleTime, Bool)]
    )
    mutating func stale(_ age: Int?, _ isInvalidated: Bool, _ staleTime: StaleTime, _ expected: Bool) {
        if age != nil { set(1) }
        if isInvalidated { _ = machine.invalidate(asOf: QueryEpoch(0)) }
        #expect(machine.isStale(staleTime, at: start + .seconds(age ?? 0)) == expected)
        let facts = EntryState(machine, entry: 1, at: start + .seconds(age ?? 0)).facts
        #expect(facts.isStale(staleTime) == expected)
    }

    @Test("every change has a revision of its own")
    mutating func revisions() {
        var seen: Set<UInt64> = [machine.revision]
        begin()
        #expect(seen.insert(machine.revision).inserted)
        machine.retryLater(after: TestError())
        #expect(seen.insert(machine.revision).inserted)
        machine.pause()
        #expect(seen.insert(machine.revision).inserted)
        machine.attempt(epoch: QueryEpoch(2))
        #expect(seen.insert(machine.revision).inserted)
        _ = succeed(1)
        #expect(seen.insert(machine.revision).inserted)
        _ = machine.invalidate(asOf: QueryEpoch(5))
        #expect(seen.insert(machine.revision).inserted)
        machine.reset(to: Overlay(), arrival())
        #expect(seen.insert(machine.revision).inserted)
    }

    @Test("an equal value keeps the revision of the data")
    mutating func sameValue() {
        set(1)
        let (revision, data) = (machine.revision, machine.dataRevision)
        machine.set(machine.overlay, arrival(5), isSame: true)
        #expect(machine.revision > revision)
        #expect(machine.dataRevision == data)
        #expect(machine.updatedAt == start + .seconds(5))
    }

    @Test(
        "an invalidation means what its moment says",
        arguments: [(0, InvalidationOutcome.known), (4, .known), (5, .overtook), (9, .overtook)]
            as [(UInt64, InvalidationOutcome)]
    )
    mutating func invalidation(_ moment: UInt64, _ expected: InvalidationOutcome) {
        begin(epoch: 5)
        let outcome = machine.invalidate(asOf: QueryEpoch(moment))
        #expect(outcome == expected)
        #expect(machine.isInvalidated == (expected != .known))
        machine.wantFollowUp()
        let wantsFollowUp = succeed(1)
        #expect(wantsFollowUp == (expected == .overtook))
        #expect(machine.isInvalidated == (expected == .overtook))
    }

    @Test("a paused fetch has not asked yet, so it will know")
    mutating func invalidatedWhilePaused() {
        begin(epoch: 5, isPaused: true)
        let meaning = machine.invalidate(asOf: QueryEpoch(9))
        #expect(meaning == .overtook)
        machine.attempt(epoch: QueryEpoch(10))
        let wantsFollowUp = succeed(1)
        #expect(!wantsFollowUp)
        #expect(!machine.isInvalidated)
    }

    @Test("a cancellation comes back to the error before, without the failures of the fetch")
    mutating func cancel() {
        begin()
        machine.fail(TestError(name: "old"), at: start)
        begin(2)
        #expect(machine.error == nil)
        machine.retryLater(after: TestError(name: "new"))
        machine.cancel()
        #expect(machine.error as? TestError == TestError(name: "old"))
        #expect(machine.trouble?.failures == 1)
        #expect(machine.fetchStatus == .idle)
    }

    @Test("a reset leaves nothing but the order of revisions")
    mutating func reset() {
        set(1)
        machine.fail(TestError(), at: start)
        let revision = machine.dataRevision
        machine.reset(to: Overlay(base: 7), arrival())
        #expect(machine.data == 7)
        #expect(machine.error == nil)
        #expect(machine.isUntouched)
        #expect(!machine.isInvalidated)
        #expect(machine.dataRevision > revision)
    }

    @Test("inputs for a fetch that is not there do nothing")
    mutating func noFetch() {
        machine.retryLater(after: TestError())
        machine.pause()
        machine.attempt(epoch: QueryEpoch(1))
        machine.setMayRetry(false)
        machine.wantFollowUp()
        machine.cancel()
        let wantsFollowUp = succeed(1)
        #expect(!wantsFollowUp)
        #expect(machine.revision == 0)
        #expect(machine.status == .pending)
    }
}

@Suite("The state of a mutation")
struct MutationMachineTests {
    @Test(
        "is sent when it may be",
        arguments: [
            (NetworkMode.online, true, true, true, true), (.online, false, true, true, false),
            (.online, true, false, true, true), (.online, true, true, false, false),
            (.always, false, false, true, true),
            (.offlineFirst, false, true, true, true), (.always, false, true, false, false),
        ]
    )
    func first(_ mode: NetworkMode, _ isOnline: Bool, _ isFocused: Bool, _ isFirst: Bool, _ expected: Bool) {
        var machine = MutationMachine()
        let isSent = machine.send(mode, .init(isOnline: isOnline, isFocused: isFocused, isFirstInScope: isFirst))
        #expect(isSent == expected)
        #expect(machine.status == (expected ? .sending : .queued))
    }

    @Test(
        "is sent again when it may be",
        arguments: [
            (NetworkMode.online, true, true, true), (.online, true, false, false), (.online, false, true, false),
            (.offlineFirst, false, true, false), (.always, false, true, true), (.always, true, false, false),
        ]
    )
    func again(_ mode: NetworkMode, _ isOnline: Bool, _ isFocused: Bool, _ expected: Bool) {
        var machine = MutationMachine()
        machine.retry(at: Timestamp(nanoseconds: 0), after: TestError())
        let isSent = machine.send(mode, .init(isOnline: isOnline, isFocused: isFocused, isFirstInScope: true))
        #expect(isSent == expected)
    }

    @Test("begins again only after a failure")
    func restart() {
        var machine = MutationMachine()
        let whilePreparing = machine.restart()
        machine.finish(nil, at: QueryEpoch(0))
        machine.end(isConfirmed: true, at: Timestamp(nanoseconds: 0))
        let afterConfirmation = machine.restart()
        machine.end(isConfirmed: false, at: Timestamp(nanoseconds: 0))
        let afterFailure = machine.restart()
        #expect([whilePreparing, afterConfirmation, afterFailure] == [false, false, true])
        #expect(machine.status == .queued)
        #expect(machine.failures == 0)
    }

    @Test("is never sent when it is over")
    func over() {
        var machine = MutationMachine.failed(TestError(), at: Timestamp(nanoseconds: 0))
        #expect(machine.status == .needsAttention)
        #expect(machine.failureReason is TestError)
        let isSent = machine.send(.always, .init(isOnline: true, isFocused: true, isFirstInScope: true))
        #expect(!isSent)
    }
}

@Suite("Time")
struct TimestampTests {
    @Test("adds and subtracts exactly, and ends where numbers do")
    func arithmetic() {
        let moment = Timestamp(nanoseconds: 5)
        #expect((moment + .nanoseconds(7)).nanoseconds == 12)
        #expect(moment + .nanoseconds(7) - moment == .nanoseconds(7))
        #expect(Timestamp(nanoseconds: .max) + .seconds(1) == .distantFuture)
        #expect(moment + .seconds(Int64.max) == .distantFuture)
    }

    @Test("comes from dates and goes back, whatever they are")
    func dates() {
        #expect(Timestamp(Bench.start).date == Bench.start)
        #expect(Timestamp(.distantFuture).nanoseconds == .max)
        #expect(Timestamp(.distantPast).nanoseconds == .min)
    }
}
