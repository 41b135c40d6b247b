/// Moments at which something may be due, the earliest first: a binary heap.
struct Agenda<Item> {
    private var items: [(moment: Timestamp, item: Item)] = []

    var count: Int { items.count }

    var next: Timestamp? { items.first?.moment }

    mutating func insert(_ item: Item, at moment: Timestamp) {
        items.append((moment, item))
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child].moment < items[parent].moment else { return }
            items.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes out the earliest item, if its moment has come.
    mutating func popDue(at moment: Timestamp) -> Item? {
        guard let first = items.first, first.moment <= moment else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var parent = 0
        while true {
            let children = (2 * parent + 1)...(2 * parent + 2)
            guard let least = children.filter({ $0 < items.count }).min(by: { items[$0].moment < items[$1].moment }),
                items[least].moment < items[parent].moment
            else { break }
            items.swapAt(least, parent)
            parent = least
        }
        return first.item
    }
}
