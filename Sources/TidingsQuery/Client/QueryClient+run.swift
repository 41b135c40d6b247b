extension QueryClient {
    /// Gives the client time, until the task is cancelled: restores what was stored, polls, lets entries turn stale on
    /// screen, forgets what is out of use, and stores what has changed.
    ///
    /// In an application with windows, call it from the `task` of the outermost view; in a server, make it a service.
    /// Calls may overlap, as they do when such a view takes the place of another one: the client has time as long as one
    /// of them goes on.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            if configuration.persister != nil {
                group.addTask {
                    await self.restore()
                    await self.runSaving()
                }
            }
            group.addTask { await self.runAgenda() }
        }
    }

    private func runAgenda() async {
        withCache { $0.runners += 1 }
        while !Task.isCancelled {
            let known = doorbell.rings
            let next = withCache { cache -> Timestamp? in
                cache.fireDue(self)
                cache.wakesAt = cache.nextDeadline
                return cache.wakesAt
            }
            await doorbell.wait(after: known, until: next, time)
        }
        withCache { $0.runners -= 1 }
    }

    /// The device came online or went offline.
    func setOnline(_ isOnline: Bool) {
        withCache { cache in
            guard cache.isOnline != isOnline else { return }
            cache.isOnline = isOnline
            if isOnline { cache.comeBack(.reconnect, by: self) }
        }
    }

    /// The application came to the front or left it.
    func setFocused(_ isFocused: Bool) {
        withCache { cache in
            guard cache.isFocused != isFocused else { return }
            cache.isFocused = isFocused
            if isFocused { cache.comeBack(.focus, by: self) }
        }
    }
}

/// A reason to look after everything that is observed.
enum Return: Sendable {
    case focus
    case reconnect
}

extension Cache {
    mutating func refetchActive(on occasions: Set<Return>, by client: QueryClient) {
        // What is stored may be fresh: it is decided when that is known.
        if isRestoring { missedOccasions.formUnion(occasions) }
        for entry in select(.all, admitted: nil) {
            let wantsFetch = entry.registrations.contains { registration in
                let isStale = entry.isStale(registration.settings.staleTime, at: now)
                return occasions.contains { registration.settings.wantsFetch(on: $0, isStale: isStale) }
            }
            if wantsFetch, !isRestoring { _ = entry.fetch(in: &self, by: client, restarting: false) }
            entry.resume(in: &self, by: client)
        }
    }
}
