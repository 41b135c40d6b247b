extension Cache {
    /// Changes a mutation, and tells those who look at it.
    @discardableResult
    mutating func changeMutation<Outcome>(
        _ identifier: MutationIdentifier,
        _ body: (inout MutationTable.Item) -> Outcome
    ) -> Outcome? {
        // The errors before.
        if let index = mutations.index(of: identifier) { effects.release(mutations.items[index].machine) }
        let outcome = mutations.change(identifier, body)
        if let item = mutations.index(of: identifier).map({ mutations.items[$0] }) {
            inspection.record(.mutation(identifier, item.machine.status))
            if let run = item.run { effects.notify { run.changed() } }
        }
        return outcome
    }

    /// A mutation wants to be sent.
    ///
    /// - Returns: Whether it is; nil if it was given up, so that nobody would ever tell it to go on.
    mutating func send(_ identifier: MutationIdentifier, _ mode: NetworkMode, by client: QueryClient) -> Bool? {
        guard mutations.index(of: identifier) != nil else { return nil }
        // One in storage may be before it.
        let mayBeLater = isRestoring && mutations.hasScope(identifier)
        if mayBeLater { restore(by: client) }
        let conditions = MutationMachine.Conditions(
            isOnline: isOnline,
            isFocused: isFocused,
            isFirstInScope: !mayBeLater && mutations.isFirstInScope(identifier)
        )
        let isSent = changeMutation(identifier) { $0.machine.send(mode, conditions) } ?? false
        // One that has to wait again keeps nobody else waiting.
        if !isSent {
            leaveResumption(identifier, by: client)
            // One that came back from storage meanwhile may be before it now.
            if let item = mutations.items.first(where: { $0.identifier == identifier }) { leaveScope(item) }
        }
        return isSent
    }

    /// A mutation is over: the next of its scope goes.
    mutating func endMutation(_ identifier: MutationIdentifier, isConfirmed: Bool, by client: QueryClient) {
        changeMutation(identifier) { [now] in $0.machine.end(isConfirmed: isConfirmed, at: now) }
        guard let index = mutations.index(of: identifier) else { return }
        let item = mutations.items[index]
        noteDeadline(of: item)
        leaveScope(item)
    }

    mutating func removeMutation(_ identifier: MutationIdentifier, by client: QueryClient) -> MutationTable.Item? {
        guard let item = mutations.remove(identifier) else { return nil }
        leaveScope(item)
        leaveResumption(identifier, by: client)
        return item
    }

    /// It is known what is stored: the first of each scope may go.
    mutating func startScopes() {
        for item in mutations.items where item.scope != nil && mutations.isFirstInScope(item.identifier) {
            guard item.machine.isWaitingForConditions, let run = item.run else { continue }
            effects.perform { run.ring() }
        }
    }

    private mutating func leaveScope(_ item: MutationTable.Item) {
        guard let scope = item.scope, let next = mutations.next(inScope: scope), next.identifier != item.identifier,
            let run = next.run
        else { return }
        effects.perform { run.ring() }
    }

    /// The device or the application is back. Mutations that waited for it go first; what is observed is fetched when they
    /// have come to something, so that it shows their results.
    mutating func comeBack(_ occasion: Return, by client: QueryClient) {
        let waiting = mutations.items.filter { item in
            item.machine.isWaitingForConditions && mutations.isFirstInScope(item.identifier)
        }
        for run in waiting.compactMap(\.run) { effects.perform { run.ring() } }
        // Those that are on their way since an earlier occasion may take long: what that keeps waiting is not forgotten,
        // and what comes now does not wait for them.
        let remaining = Set(waiting.filter { $0.run != nil }.map(\.identifier))
        mutations.resumptions.append(.init(occasion: occasion, remaining: remaining))
        finishResumptions(by: client)
    }

    /// A mutation has come to something, or has to wait again: nobody else waits for it. Its last functions are not waited
    /// for, since they may fetch what waits.
    mutating func leaveResumption(_ identifier: MutationIdentifier, by client: QueryClient) {
        for index in mutations.resumptions.indices { mutations.resumptions[index].remaining.remove(identifier) }
        finishResumptions(by: client)
    }

    private mutating func finishResumptions(by client: QueryClient) {
        let occasions = Set(mutations.resumptions.filter(\.remaining.isEmpty).map(\.occasion))
        guard !occasions.isEmpty else { return }
        mutations.resumptions.removeAll(where: \.remaining.isEmpty)
        refetchActive(on: occasions, by: client)
    }

    /// Gives all mutations up, also those that wait in storage.
    ///
    /// - Returns: Those that were under way or are over, to be ended.
    mutating func discardMutations() -> [any AnyMutationRun] {
        let (items, orphans) = mutations.removeAll()
        for item in items where item.isStored { markDiscarded(item.identifier) }
        for orphan in orphans { markDiscarded(orphan.identifier) }
        if isRestoring {
            mutations.isCleared = true
            wantsSaving = true
        }
        return items.compactMap(\.run)
    }

    /// Forgets the mutations that are over for long enough.
    mutating func collectMutations() {
        guard let next = mutations.nextCollection, next <= now else { return }
        mutations.nextCollection = nil
        for item in mutations.items {
            if let deadline = item.deadline, deadline <= now {
                effects.release(mutations.remove(item.identifier)?.run)
            } else {
                noteDeadline(of: item)
            }
        }
    }

    private mutating func noteDeadline(of item: MutationTable.Item) {
        guard let deadline = item.deadline else { return }
        mutations.nextCollection = min(mutations.nextCollection ?? deadline, deadline)
    }
}

extension MutationTable.Item {
    /// When it may be forgotten; nil if it is under way, or waits for somebody's decision.
    fileprivate var deadline: Timestamp? {
        guard case .over(_, let end) = machine.phase, !(isStored && machine.status == .needsAttention) else {
            return nil
        }
        return (run?.gcTime ?? .standard).deadline(from: end)
    }
}
