/// Entries by the moment at which something may be due, the earliest first: a binary heap whose members know their places,
/// so that one which leaves the cache leaves the agenda too.
struct Agenda {
    private var entries: [AnyEntry] = []

    var count: Int { entries.count }

    var next: Timestamp? { entries.first?.scheduled }

    /// Puts an entry in, or looks at it earlier than it was to be. What comes later is found out when its time has come.
    mutating func schedule(_ entry: AnyEntry, at moment: Timestamp) {
        if let scheduled = entry.scheduled {
            guard moment < scheduled else { return }
            entry.scheduled = moment
        } else {
            entry.scheduled = moment
            entry.agendaPlace = entries.count
            entries.append(entry)
        }
        rise(from: entry.agendaPlace)
    }

    mutating func remove(_ entry: AnyEntry) {
        guard entry.scheduled != nil else { return }
        let (place, last) = (entry.agendaPlace, entries.count - 1)
        exchange(place, last)
        entries.removeLast()
        entry.scheduled = nil
        guard place < last else { return }
        rise(from: place)
        sink(from: place)
    }

    /// Takes out the earliest entry, if its moment has come.
    mutating func popDue(at moment: Timestamp) -> AnyEntry? {
        guard let first = entries.first, isDue(first, at: moment) else { return nil }
        remove(first)
        return first
    }

    private func isDue(_ entry: AnyEntry, at moment: Timestamp) -> Bool {
        entry.scheduled.map { $0 <= moment } ?? false
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        guard let left = entries[left].scheduled, let right = entries[right].scheduled else { return false }
        return left < right
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        entries.swapAt(left, right)
        entries[left].agendaPlace = left
        entries[right].agendaPlace = right
    }

    private mutating func rise(from place: Int) {
        var child = place
        while child > 0, isEarlier(child, (child - 1) / 2) {
            exchange(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func sink(from place: Int) {
        var parent = place
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count && isEarlier(child, least) {
                least = child
            }
            guard least != parent else { return }
            exchange(parent, least)
            parent = least
        }
    }
}
