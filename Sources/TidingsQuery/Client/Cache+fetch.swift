/// How a fetch comes about.
struct FetchOptions: Sendable {
    /// Whether a fetch that runs makes way for a new one, if there is data to show meanwhile.
    var isRestarting = false
    var direction: FetchDirection?
    /// How failed attempts are repeated where the query says nothing.
    var retry: RetryPolicy = .times(3)
}

extension Cache {
    /// Fetches, or joins the fetch that runs.
    mutating func fetch<Value>(
        _ entry: Entry<Value>,
        _ options: FetchOptions,
        by client: QueryClient
    ) -> FetchTicket<Value> {
        var (tickets, followUps): ([FetchTicket<Value>], [FetchTicket<Value>]) = ([], [])
        if let run = entry.run {
            guard options.isRestarting, entry.machine.overlay.base != nil else {
                entry.machine.setMayRetry(true)
                // What waits for the network may wait for others who went first, and these may be who asks.
                resume(entry, by: client)
                return join(run, of: entry, options.direction)
            }
            let isExtension = entry.machine.fetch?.isExtension ?? false
            if options.direction == nil {
                // Whoever awaits the old fetch gets what the new one brings.
                tickets = run.tickets + run.followUps
            } else {
                // Whoever awaits everything does not get it with a page.
                tickets = isExtension ? run.tickets : []
                followUps = isExtension ? run.followUps : run.tickets + run.followUps
            }
            end(run, of: entry)
            modify(entry) { $0.cancel() }
        }
        if tickets.isEmpty { tickets = [FetchTicket()] }
        return start(entry, options, tickets: tickets, followUps: followUps, by: client)
    }

    /// Whoever asks after an event does not get what was asked for before it, and whoever asks for everything does not
    /// get it with a page: such a fetch is followed by another one, and that is the one to wait for.
    private func join<Value>(
        _ run: FetchRun<Value>,
        of entry: Entry<Value>,
        _ direction: FetchDirection?
    ) -> FetchTicket<Value> {
        guard let fetch = entry.machine.fetch, !entry.isStatic,
            fetch.isExtension ? direction == nil : fetch.isOvertaken
        else { return run.tickets[0] }
        entry.machine.wantFollowUp()
        return run.makeFollowUp()
    }

    private mutating func start<Value>(
        _ entry: Entry<Value>,
        _ options: FetchOptions,
        tickets: [FetchTicket<Value>],
        followUps: [FetchTicket<Value>] = [],
        by client: QueryClient
    ) -> FetchTicket<Value> {
        guard let fetcher = entry.query.fetcher else {
            return refuse(entry, tickets + followUps)
        }
        let networkMode = entry.query.options.networkMode ?? .online
        let context = FetchContext(key: entry.key)
        let request = FetchRequest(context: context, base: entry.machine.overlay.base, direction: options.direction)
        let run = FetchRun(
            key: entry.key,
            identifier: nextIdentifier(),
            context: context,
            retry: entry.query.options.retry ?? options.retry,
            networkMode: networkMode,
            tickets: tickets,
            followUps: followUps,
            attempt: fetcher.begin(request)
        )
        let canStart = networkMode.canStart(isOnline: isOnline)
        entry.run = run
        let epoch = nextEpoch()
        modify(entry) { machine in
            machine.begin(
                run.identifier,
                epoch: epoch,
                isPaused: !canStart,
                direction: options.direction,
                isExtension: fetcher.extendsData(request),
                continuesAfterFailure: fetcher.continuesAfterFailure
            )
        }
        // What it took the place of is made up for.
        if !followUps.isEmpty, entry.machine.fetch?.isExtension == true { entry.machine.wantFollowUp() }
        setPaused(run, !canStart)
        if canStart { begin(run, by: client) }
        inspection.record(canStart ? .fetchStarted(entry.key) : .fetchPaused(entry.key))
        changed(entry)
        return tickets[0]
    }

    /// The task of a fetch begins after the critical section: where it runs is a caller's.
    private mutating func begin<Value>(_ run: FetchRun<Value>, by client: QueryClient) {
        effects.perform { run.begin { client.spawn { await client.perform(run) } } }
    }

    /// Nobody can be asked: the entry stays as it is.
    private mutating func refuse<Value>(_ entry: Entry<Value>, _ tickets: [FetchTicket<Value>]) -> FetchTicket<Value> {
        resolve(tickets, entry.machine.data.map(Result.success) ?? .failure(QueryError.noFetch(entry.key)))
        return tickets[0]
    }

    /// The fetch waits for the network or for focus, or goes on.
    private mutating func setPaused<Value>(_ run: FetchRun<Value>, _ isPaused: Bool) {
        for ticket in run.tickets + run.followUps { effects.perform(ticket.setPaused(isPaused)) }
    }

    /// The run of a task, if it is still the one that counts.
    func entry<Value>(of run: FetchRun<Value>) -> Entry<Value>? {
        guard let entry = entries[run.key] as? Entry<Value>, entry.run === run else { return nil }
        return entry
    }

    // MARK: What an attempt came to

    mutating func arrived<Value>(
        _ entry: Entry<Value>,
        _ run: FetchRun<Value>,
        _ edit: Edit<Value>,
        missedChanges: Bool,
        by client: QueryClient
    ) {
        recency.changeCost(of: entry, to: edit.cost)
        let arrival = DataArrival(moment: now, version: edit.version)
        // It may have been set with a moment that has not come.
        if let updatedAt = entry.machine.updatedAt, updatedAt > now { replaceStored(entry.key) }
        let wantsFollowUp = modify(entry) { machine in
            machine.succeed(
                edit.overlay,
                arrival,
                metadata: run.context.metadata,
                missedChanges: missedChanges,
                isSame: edit.isSame
            )
        }
        entry.run = nil
        let result = entry.machine.data.map(Result.success) ?? .failure(QueryError.cancelled(entry.key) as any Error)
        resolve(run.tickets, result)
        inspection.record(.fetchSucceeded(entry.key))
        markUnsaved(entry)
        finished(entry)
        followUp(run, of: entry, isWanted: wantsFollowUp, result, by: client)
    }

    /// A fetch has ended: one more follows it, or whoever waits for that gets what came of this one.
    private mutating func followUp<Value>(
        _ run: FetchRun<Value>,
        of entry: Entry<Value>,
        isWanted: Bool,
        _ result: Result<Value, any Error>,
        by client: QueryClient
    ) {
        let followUps = run.followUps
        if isWanted, !followUps.isEmpty || (entry.isLive && !entry.isStatic) {
            let options = FetchOptions(retry: entry.isActive ? .times(3) : run.retry)
            _ = start(entry, options, tickets: followUps.isEmpty ? [FetchTicket()] : followUps, by: client)
        } else {
            resolve(followUps, result)
        }
    }

    /// - Parameter wait: How long until the next attempt, if the policy wants one.
    /// - Returns: Whether the task goes on.
    mutating func failed<Value>(
        _ entry: Entry<Value>,
        _ run: FetchRun<Value>,
        _ error: any Error,
        wait: Duration?,
        by client: QueryClient
    ) -> Bool {
        guard wait != nil, entry.machine.fetch?.mayRetry == true else {
            fail(entry, run, error, by: client)
            return false
        }
        modify(entry) { $0.retryLater(after: error) }
        inspection.record(.fetchRetries(entry.key, error))
        changed(entry)
        return true
    }

    /// The wait for the next attempt is over.
    ///
    /// - Returns: Whether the task makes it now.
    mutating func waited<Value>(
        _ entry: Entry<Value>,
        _ run: FetchRun<Value>,
        _ error: any Error,
        by client: QueryClient
    ) -> Bool {
        guard entry.machine.fetch?.mayRetry == true else {
            fail(entry, run, error, by: client)
            return false
        }
        guard canContinue(run.networkMode) else {
            entry.machine.pause()
            setPaused(run, true)
            inspection.record(.fetchPaused(entry.key))
            changed(entry)
            return false
        }
        attempt(entry)
        changed(entry)
        return true
    }

    /// Changes that were confirmed meanwhile are let go: the next attempt knows them.
    private mutating func attempt<Value>(_ entry: Entry<Value>) {
        let epoch = nextEpoch()
        modify(entry) { $0.attempt(epoch: epoch) }
    }

    private func canContinue(_ mode: NetworkMode) -> Bool {
        isFocused && mode.canContinue(isOnline: isOnline)
    }

    private mutating func fail<Value>(
        _ entry: Entry<Value>,
        _ run: FetchRun<Value>,
        _ error: any Error,
        by client: QueryClient
    ) {
        let wantsFollowUp = entry.machine.fetch?.needsFollowUp ?? false
        effects.release(run)
        entry.run = nil
        let moment = now
        modify(entry) { $0.fail(error, at: moment) }
        // What could not be renewed comes back as out of date.
        if entry.hasData, entry.isInvalidated { markUnsaved(entry) }
        inspection.record(.fetchFailed(entry.key, error))
        resolve(run.tickets, .failure(error))
        finished(entry)
        followUp(run, of: entry, isWanted: wantsFollowUp, .failure(error), by: client)
    }

    mutating func resume<Value>(_ entry: Entry<Value>, by client: QueryClient) {
        guard let run = entry.run, entry.machine.fetch?.phase == .paused else { return }
        let isFirst = run.failures == 0
        guard isFirst ? run.networkMode.canStart(isOnline: isOnline) : canContinue(run.networkMode) else { return }
        if !isFirst, entry.machine.fetch?.mayRetry == false, let error = entry.machine.trouble?.failureReason {
            return fail(entry, run, error, by: client)
        }
        attempt(entry)
        setPaused(run, false)
        begin(run, by: client)
        inspection.record(.fetchStarted(entry.key))
        changed(entry)
    }

    mutating func cancel<Value>(_ entry: Entry<Value>, revertsTo outcome: CancelOutcome) {
        guard let run = entry.run else { return }
        end(run, of: entry)
        modify(entry) { $0.cancel() }
        let cancelled = Result<Value, any Error>.failure(QueryError.cancelled(entry.key))
        let result = outcome == .data ? entry.machine.data.map(Result.success) ?? cancelled : cancelled
        resolve(run.tickets + run.followUps, result)
        inspection.record(.fetchCancelled(entry.key))
        finished(entry)
    }

    private mutating func end<Value>(_ run: FetchRun<Value>, of entry: Entry<Value>) {
        entry.run = nil
        effects.perform { run.cancelTask() }
    }

    private mutating func resolve<Value>(_ tickets: [FetchTicket<Value>], _ result: Result<Value, any Error>) {
        guard !tickets.isEmpty else { return }
        effects.perform { for ticket in tickets { ticket.resolve(result) } }
    }

    /// A fetch has ended: from here on the time until the entry is forgotten counts.
    private mutating func finished(_ entry: AnyEntry) {
        entry.idleSince = now
        changed(entry)
    }
}
