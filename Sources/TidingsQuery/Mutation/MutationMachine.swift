/// The state of one mutation: a value without a clock, a lock or a task.
struct MutationMachine: Sendable {
    enum Phase: Sendable {
        /// Its first function runs. → `queued`, `over`.
        case preparing
        /// Not allowed to be sent: offline, in the background, or not first in its scope. → `sending`, `over`.
        case queued
        /// An attempt runs. → `waiting`, `finishing`.
        case sending
        /// Between two attempts. → `sending`, `queued`, `over`.
        case waiting(until: Timestamp)
        /// Its last functions run. → `over`.
        case finishing
        /// → `preparing`, if somebody wants it once more after a failure.
        case over(isConfirmed: Bool, at: Timestamp)
    }

    private(set) var phase = Phase.preparing
    private(set) var failures = 0
    private(set) var failureReason: (any Error)?
    /// When the server had made the change; nil if it has not.
    private(set) var confirmation: QueryEpoch?

    /// What may be sent.
    struct Conditions: Sendable {
        var isOnline: Bool
        var isFocused: Bool
        var isFirstInScope: Bool
    }

    var isOver: Bool {
        if case .over = phase { return true }
        return false
    }

    /// Whether it was sent, and may be sent again.
    var isUnderWay: Bool {
        switch phase {
        case .sending, .waiting, .finishing: true
        case .preparing, .queued, .over: false
        }
    }

    /// What it failed with for good.
    var finalFailure: (any Error)? {
        switch phase {
        case .finishing, .over: failureReason
        case .preparing, .queued, .sending, .waiting: nil
        }
    }

    var isWaitingForConditions: Bool {
        if case .queued = phase { return true }
        return false
    }

    var status: MutationStatus {
        switch phase {
        case .preparing, .queued: .queued
        case .sending, .finishing: .sending
        case .waiting(let until): .waitingForRetry(until: until.date)
        case .over(isConfirmed: true, _): .confirmed
        case .over(isConfirmed: false, _): .needsAttention
        }
    }

    /// Wants to be sent.
    ///
    /// - Returns: Whether it is.
    mutating func send(_ mode: NetworkMode, _ conditions: Conditions) -> Bool {
        guard !isOver else { return false }
        let mayGo =
            failures == 0
            ? mode.canStart(isOnline: conditions.isOnline)
            : conditions.isFocused && mode.canContinue(isOnline: conditions.isOnline)
        guard mayGo, conditions.isFirstInScope else {
            phase = .queued
            return false
        }
        phase = .sending
        return true
    }

    mutating func retry(at moment: Timestamp, after error: any Error) {
        failures += 1
        failureReason = error
        phase = .waiting(until: moment)
    }

    mutating func finish(_ error: (any Error)?, at epoch: QueryEpoch) {
        if let error {
            failures += 1
            failureReason = error
        } else {
            confirmation = epoch
        }
        phase = .finishing
    }

    mutating func end(isConfirmed: Bool, at moment: Timestamp) {
        if isConfirmed {
            failures = 0
            failureReason = nil
        }
        phase = .over(isConfirmed: isConfirmed, at: moment)
    }

    /// Somebody wants it once more.
    ///
    /// - Returns: Whether it had failed.
    mutating func restart() -> Bool {
        guard case .over(isConfirmed: false, _) = phase else { return false }
        self = MutationMachine()
        return true
    }

    /// It came back from storage, where it had failed.
    static func failed(_ error: any Error, at moment: Timestamp) -> MutationMachine {
        var machine = MutationMachine()
        machine.finish(error, at: QueryEpoch(0))
        machine.end(isConfirmed: false, at: moment)
        return machine
    }
}
