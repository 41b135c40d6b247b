/// When what is stale is fetched: the first time at once, after that not more often than a throttle allows, and always
/// once more after the last reason. A value without a clock.
struct RefetchSchedule {
    /// What to wait for before a fetch.
    struct Wait: Sendable {
        /// The shortest time between two fetches of one entry.
        var throttle: Duration
        /// How long nothing has to happen; nil is not to wait for that. At most five times as long is waited for it.
        var debounce: Duration?
        /// A further wait, so that not everybody asks at once.
        var spread: Duration = .zero
    }

    private struct Slot {
        var last: Timestamp?
        /// The first reason since then.
        var first: Timestamp?
        /// When somebody wants it who does not wait for quiet.
        var wanted: Timestamp?
        /// When it has been quiet for long enough.
        var quiet: Timestamp?

        var due: Timestamp? {
            guard let wanted, let quiet else { return wanted ?? quiet }
            return min(wanted, quiet)
        }
    }

    private var slots: [QueryKey: Slot] = [:]
    /// After this many, those that wait for nothing are looked for.
    private var mostSlots = 256
    private var longestThrottle: Duration = .zero

    /// There is a reason to fetch an entry.
    mutating func add(_ key: QueryKey, at now: Timestamp, _ wait: Wait) {
        longestThrottle = max(longestThrottle, wait.throttle)
        var slot = slots[key] ?? Slot()
        let first = slot.first ?? now
        var due = now + wait.spread
        if let debounce = wait.debounce { due = max(due, min(now + debounce, first + debounce * 5)) }
        if let last = slot.last { due = max(due, last + wait.throttle) }
        // Who waits already does not wait longer for another reason, unless it waits for quiet.
        if wait.debounce == nil {
            slot.wanted = min(slot.wanted ?? due, due)
        } else {
            slot.quiet = due
        }
        slot.first = first
        slots[key] = slot
        forgetIdle(at: now)
    }

    /// Whether an entry will be fetched.
    func isWaiting(_ key: QueryKey) -> Bool { slots[key]?.due != nil }

    /// When ``takeDue(at:)`` is next to be asked.
    var next: Timestamp? { slots.values.compactMap(\.due).min() }

    /// What is to be fetched now.
    mutating func takeDue(at now: Timestamp) -> Set<QueryKey> {
        let due = slots.filter { $0.value.due.map { $0 <= now } ?? false }.keys
        for key in due { slots[key] = Slot(last: now) }
        return Set(due)
    }

    private mutating func forgetIdle(at now: Timestamp) {
        guard slots.count > mostSlots else { return }
        slots = slots.filter { _, slot in slot.due != nil || slot.last.map { $0 + longestThrottle > now } ?? false }
        mostSlots = max(256, slots.count * 2)
    }
}
