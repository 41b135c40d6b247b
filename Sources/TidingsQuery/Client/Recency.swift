/// The entries that nobody observes, in the order in which they were last used: a list linked through the entries, so
/// that using one costs the same whatever their number. It owns none of them: an entry leaves it before it leaves the cache.
struct Recency {
    private unowned var mostRecent: AnyEntry?
    private unowned var leastRecent: AnyEntry?
    private(set) var count = 0
    private(set) var cost = 0

    /// Puts an entry in front, as just used.
    mutating func touch(_ entry: AnyEntry) {
        guard mostRecent !== entry else { return }
        remove(entry)
        entry.isInRecency = true
        entry.lessRecent = mostRecent
        mostRecent?.moreRecent = entry
        if leastRecent == nil { leastRecent = entry }
        mostRecent = entry
        count += 1
        cost += entry.cost
    }

    mutating func remove(_ entry: AnyEntry) {
        guard entry.isInRecency else { return }
        let (less, more) = (entry.lessRecent, entry.moreRecent)
        if let more { more.lessRecent = less } else { mostRecent = less }
        if let less { less.moreRecent = more } else { leastRecent = more }
        entry.lessRecent = nil
        entry.moreRecent = nil
        entry.isInRecency = false
        count -= 1
        cost -= entry.cost
    }

    mutating func changeCost(of entry: AnyEntry, to newCost: Int) {
        if entry.isInRecency { cost += newCost - entry.cost }
        entry.cost = newCost
    }

    /// The entry that was not used for the longest time among those that may go.
    func leastRecent(where mayGo: (AnyEntry) -> Bool) -> AnyEntry? {
        var entry = leastRecent
        while let candidate = entry {
            if mayGo(candidate) { return candidate }
            entry = candidate.moreRecent
        }
        return nil
    }
}
