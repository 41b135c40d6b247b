/// The state of one entry. Every change of it is one of the methods here and in the extensions: a value without a clock,
/// a lock or a task, whose owner does what follows from it.
///
/// Two axes are independent of each other: what is known about the data (``status``), and what the network does about it
/// (``fetchStatus``).
struct QueryMachine<Value: Sendable>: Sendable {
    var overlay: Overlay<Value>
    private(set) var updatedAt: Timestamp?
    private(set) var updateCount = 0
    private(set) var isInvalidated = false
    private(set) var metadata = Boxed<QueryMetadata>.none
    private(set) var baseVersion: Int64?
    private var troubles = Boxed<FetchTrouble>.none
    private var fetching = Boxed<RunningFetch>.none
    /// When the data that is there was asked for; nil if it was not fetched.
    private(set) var dataEpoch: QueryEpoch?
    /// Counts the changes of any kind.
    private(set) var revision: UInt64 = 0
    /// Counts the changes of the visible value, equal ones left out.
    private(set) var dataRevision: UInt64 = 0
    /// Counts the changes of the overlay, for those who work on a copy of it.
    private(set) var overlayRevision: UInt64 = 0

    init(initial: Value? = nil, at moment: Timestamp? = nil, version: Int64? = nil) {
        overlay = Overlay(base: initial)
        updatedAt = initial == nil ? nil : moment
        baseVersion = version
    }

    var data: Value? { overlay.visible }
    var fetch: RunningFetch? { fetching.value }
    var trouble: FetchTrouble? { troubles.value }
    var error: (any Error)? { troubles.value?.error }

    var status: QueryStatus {
        if error != nil { return .error }
        return overlay.visible == nil ? .pending : .success
    }

    var fetchStatus: FetchStatus {
        guard let fetch else { return .idle }
        return fetch.phase == .paused ? .paused : .fetching
    }

    /// When what is being fetched, or else what is there, was asked for.
    var fetchEpoch: QueryEpoch? {
        guard let fetch, !fetch.isExtension else { return dataEpoch }
        return fetch.epoch
    }

    /// Whether nothing was ever known about it, good or bad.
    var isUntouched: Bool { updateCount == 0 && (trouble?.errorCount ?? 0) == 0 }

    func isStale(_ staleTime: StaleTime, at moment: Timestamp) -> Bool {
        let updatedAt = overlay.base == nil ? nil : updatedAt
        return staleTime.isOver(for: updatedAt, isInvalidated: isInvalidated, at: moment)
    }
}

// MARK: - Data

extension QueryMachine {
    /// Somebody set the data. A fetch that runs goes on.
    ///
    /// - Parameter isWhole: Whether it is all that there is to know by now; otherwise what was out of date stays so.
    mutating func set(_ overlay: Overlay<Value>, _ arrival: DataArrival, isSame: Bool, isWhole: Bool = true) {
        take(overlay, isSame: isSame)
        updatedAt = arrival.moment
        updateCount += 1
        baseVersion = arrival.version
        if isWhole { isInvalidated = false }
        troubles.value?.error = nil
        overtakeExtension()
        // A cancellation from here on comes back to this data, not to the error before it.
        if var fetch = fetching.value {
            fetch.before?.error = nil
            if isWhole { fetch.makesUpForData = false }
            fetching.value = fetch
        }
    }

    /// What a fetch adds to was replaced: it ends with what there was when it began, so everything is fetched after it.
    private mutating func overtakeExtension() {
        guard var fetch = fetching.value, fetch.isExtension else { return }
        fetch.isOvertaken = true
        fetch.wantsFollowUp = true
        fetching.value = fetch
    }

    /// An optimistic change came, failed or was confirmed.
    mutating func change(_ overlay: Overlay<Value>, version: Int64?, isSame: Bool) {
        take(overlay, isSame: isSame)
        baseVersion = version
    }

    private mutating func take(_ overlay: Overlay<Value>, isSame: Bool) {
        self.overlay = overlay
        overlayRevision += 1
        revision += 1
        if !isSame { dataRevision += 1 }
    }

    /// Something happened at the server that the data may not know.
    ///
    /// - Parameter epoch: When. Data that was asked for later knows it.
    /// - Returns: What it means.
    mutating func invalidate(asOf epoch: QueryEpoch) -> InvalidationOutcome {
        if var fetch = fetching.value {
            if knows(epoch, fetch) {
                fetch.makesUpForData = fetch.makesUpForData || !(dataEpoch.map { $0 > epoch } ?? false)
                fetching.value = fetch
                return .known
            }
            fetch.isOvertaken = true
            fetching.value = fetch
            mark()
            return .overtook
        }
        if let dataEpoch, dataEpoch > epoch { return .known }
        mark()
        return .marked
    }

    /// Whether what is there when a fetch has ended will have been asked for after an event.
    private func knows(_ epoch: QueryEpoch, _ fetch: RunningFetch) -> Bool {
        if fetch.isExtension { return dataEpoch.map { $0 > epoch } ?? false }
        return fetch.epoch > epoch && fetch.phase != .paused
    }

    private mutating func mark() {
        guard !isInvalidated else { return }
        isInvalidated = true
        revision += 1
    }

    /// Forgets what happened and begins again.
    ///
    /// - Parameter overlay: With what to begin. Changes that are under way have not ended with what they were done to.
    mutating func reset(to overlay: Overlay<Value>, _ arrival: DataArrival) {
        let (revision, dataRevision, overlayRevision) = (revision, dataRevision, overlayRevision)
        self = QueryMachine(initial: overlay.base, at: arrival.moment, version: arrival.version)
        self.overlay = overlay
        self.revision = revision + 1
        self.dataRevision = dataRevision + 1
        self.overlayRevision = overlayRevision + 1
    }

    /// Data came back from storage or from another process.
    mutating func restore(_ overlay: Overlay<Value>, _ restored: QueryMachineRestored, isSame: Bool) {
        take(overlay, isSame: isSame)
        updatedAt = restored.updatedAt
        updateCount += 1
        baseVersion = restored.version
        isInvalidated = restored.isInvalidated
        metadata.value = restored.metadata.isEmpty ? nil : restored.metadata
        troubles.value?.error = nil
        overtakeExtension()
    }

    mutating func setMetadata(_ metadata: QueryMetadata) {
        self.metadata.value = metadata.isEmpty ? nil : metadata
        revision += 1
    }
}

// MARK: - The fetch

extension QueryMachine {
    mutating func begin(
        _ identifier: UInt64,
        epoch: QueryEpoch,
        isPaused: Bool,
        direction: FetchDirection? = nil,
        isExtension: Bool = false,
        continuesAfterFailure: Bool
    ) {
        let before = troubles.value
        fetching.value = RunningFetch(
            identifier: identifier,
            direction: direction,
            isExtension: isExtension,
            continuesAfterFailure: continuesAfterFailure,
            before: before,
            epoch: epoch,
            phase: isPaused ? .paused : .attempting
        )
        if var trouble = troubles.value {
            trouble.failures = 0
            trouble.failureReason = nil
            // Without data there is nothing to show but that it is tried again.
            if overlay.visible == nil { trouble.error = nil }
            troubles.value = trouble
        }
        overlay.awaitArrival(true)
        overlayRevision += 1
        revision += 1
    }

    /// An attempt failed, and another one follows after a wait.
    mutating func retryLater(after error: any Error) {
        guard var fetch = fetching.value else { return }
        fetch.phase = .waiting
        fetching.value = fetch
        var trouble = troubles.value ?? FetchTrouble()
        trouble.failures += 1
        trouble.failureReason = error
        troubles.value = trouble
        revision += 1
    }

    mutating func pause() {
        guard var fetch = fetching.value, fetch.phase != .paused else { return }
        fetch.phase = .paused
        fetching.value = fetch
        revision += 1
    }

    /// An attempt begins that is not the first one. What happened before it, it will know.
    mutating func attempt(epoch: QueryEpoch) {
        guard var fetch = fetching.value else { return }
        fetch.phase = .attempting
        if !fetch.continuesAfterFailure {
            fetch.epoch = epoch
            fetch.isOvertaken = false
            fetch.wantsFollowUp = false
            overlay.awaitArrival(true)
            overlayRevision += 1
        }
        fetching.value = fetch
        revision += 1
    }

    mutating func setMayRetry(_ mayRetry: Bool) {
        guard var fetch = fetching.value, fetch.mayRetry != mayRetry else { return }
        fetch.mayRetry = mayRetry
        fetching.value = fetch
    }

    mutating func wantFollowUp() {
        guard var fetch = fetching.value, !fetch.wantsFollowUp else { return }
        fetch.wantsFollowUp = true
        fetching.value = fetch
    }

    /// The fetch brought a value.
    ///
    /// - Parameters:
    ///   - overlay: With the value as its base.
    ///   - missedChanges: Whether changes were confirmed while it ran, which it may not know.
    /// - Returns: Whether another fetch has to follow.
    mutating func succeed(
        _ overlay: Overlay<Value>,
        _ arrival: DataArrival,
        metadata: QueryMetadata,
        missedChanges: Bool,
        isSame: Bool
    ) -> Bool {
        guard let fetch = fetching.value else { return false }
        take(overlay, isSame: isSame)
        updateCount += 1
        baseVersion = arrival.version
        if fetch.isExtension {
            // As old as what was there already, which is what the metadata is about.
            isInvalidated = isInvalidated || fetch.isOvertaken || missedChanges
        } else {
            updatedAt = arrival.moment
            self.metadata.value = metadata.isEmpty ? nil : metadata
            isInvalidated = fetch.isOvertaken || missedChanges
            dataEpoch = fetch.epoch
        }
        if var trouble = troubles.value {
            trouble.error = nil
            trouble.failures = 0
            trouble.failureReason = nil
            troubles.value = trouble
        }
        fetching.value = nil
        return fetch.needsFollowUp || missedChanges
    }

    /// The fetch has failed for good.
    mutating func fail(_ error: any Error, at moment: Timestamp) {
        let isExtension = fetch?.isExtension ?? false
        fetching.value = nil
        overlay.awaitArrival(false)
        overlayRevision += 1
        var trouble = troubles.value ?? FetchTrouble()
        trouble.error = error
        trouble.errorAt = moment
        trouble.errorCount += 1
        trouble.failures += 1
        trouble.failureReason = error
        troubles.value = trouble
        // Data that could not be renewed is not to be trusted; a fetch that would have added to it says nothing about it.
        if !isExtension { isInvalidated = true }
        revision += 1
    }

    /// The fetch is cancelled: everything but the data is as before it. The data was not touched by it, so it is out of date
    /// if something happened before the fetch that only that would have brought.
    mutating func cancel() {
        guard let fetch = fetching.value else { return }
        fetching.value = nil
        overlay.awaitArrival(false)
        overlayRevision += 1
        troubles.value = fetch.before
        if fetch.makesUpForData, overlay.base != nil { isInvalidated = true }
        revision += 1
    }
}

/// What is known of data that came back from storage or from another process.
struct QueryMachineRestored: Sendable {
    var updatedAt: Timestamp
    var version: Int64?
    var isInvalidated: Bool
    var metadata: QueryMetadata
}
