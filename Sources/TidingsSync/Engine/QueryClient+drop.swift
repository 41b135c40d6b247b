extension QueryClient {
    /// Forgets what is about something that is gone. Who shows it finds out; a form that is being filled in stays, and is
    /// stale.
    func drop(_ filter: QueryFilter) {
        for info in entries(filter) {
            if !info.isActive {
                remove(.exactly(info.key))
            } else if info.isLive {
                reset(.exactly(info.key))
            } else {
                invalidate(.exactly(info.key), refetch: .none)
            }
        }
    }
}
