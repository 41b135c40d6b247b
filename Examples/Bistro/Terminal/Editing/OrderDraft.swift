import BistroAPI
import Foundation
import TidingsSync

/// What somebody changes of an order, based on the order as they have seen it.
struct OrderDraft {
    enum Side: Hashable, Sendable {
        case mine
        case theirs
    }

    /// A field that was changed here and elsewhere, and not to the same.
    struct Conflict: Hashable, Sendable {
        let field: OrderField
        let name: String
        let mine: String
        let theirs: String
        fileprivate(set) var choice: Side?
    }

    /// What is to be done to the dishes: the server has a request for each.
    enum ItemChange: Hashable, Sendable {
        case add(OrderItemCreate)
        case setQuantity(UUID, Int)
        case remove(UUID)
    }

    /// The order that the draft is based on.
    private(set) var base: Order
    private(set) var conflicts: [Conflict] = []
    private(set) var added: [OrderItemCreate] = []
    private var mine: [OrderField: String] = [:]

    init(_ order: Order) {
        base = order
    }

    /// What a field will be.
    func value(_ field: OrderField) -> String { mine[field] ?? field.value(in: base) }

    func isChanged(_ field: OrderField) -> Bool { mine[field] != nil }

    var isDirty: Bool { !mine.isEmpty || !added.isEmpty }

    /// Whether no conflict waits for a choice.
    var isDecided: Bool { conflicts.allSatisfy { $0.choice != nil } }

    mutating func set(_ field: OrderField, to value: String) {
        mine[field] = value == field.value(in: base) ? nil : value
        decide(field, .mine)
    }

    mutating func add(_ item: OrderItemCreate) { added.append(item) }

    mutating func removeAdded(_ identifier: UUID) { added.removeAll { $0.id == identifier } }

    mutating func setQuantity(ofAdded identifier: UUID, to quantity: Int) {
        for index in added.indices where added[index].id == identifier { added[index].quantity = quantity }
    }

    /// Bases the draft on the order as it is now. What was not changed here follows; what was changed here and elsewhere is
    /// a conflict.
    ///
    /// - Returns: What others have changed.
    @discardableResult
    mutating func rebase(on current: Order) -> [OrderField] {
        let different = OrderField.all(of: base, current).filter { $0.value(in: base) != $0.value(in: current) }
        for field in different {
            conflicts.removeAll { $0.field == field }
            guard let mine = mine[field] else { continue }
            let theirs = field.value(in: current)
            if mine == theirs {
                self.mine[field] = nil
            } else {
                let name = field.name(in: current, base)
                conflicts.append(Conflict(field: field, name: name, mine: mine, theirs: theirs))
            }
        }
        // What was sent and not answered may be there.
        added.removeAll { item in current.items.contains { $0.id == item.id } }
        base = current
        return different
    }

    /// Decides a conflict.
    mutating func resolve(_ field: OrderField, _ side: Side) {
        guard let conflict = conflicts.first(where: { $0.field == field }) else { return }
        let value = side == .mine ? conflict.mine : conflict.theirs
        mine[field] = value == field.value(in: base) ? nil : value
        decide(field, side)
    }

    /// All of it is decided, and saved.
    mutating func forgetConflicts() { conflicts = [] }

    private mutating func decide(_ field: OrderField, _ side: Side) {
        for index in conflicts.indices where conflicts[index].field == field { conflicts[index].choice = side }
    }
}

// MARK: - What is sent

extension OrderDraft {
    /// The fields that are different.
    var update: OrderUpdate {
        var update = OrderUpdate()
        if let table = mine[.table] { update.table = .to(table) }
        if let note = mine[.note] { update.note = .to(note.isEmpty ? nil : note) }
        if let status = mine[.status] { update.status = .to(OrderStatus(rawValue: status)) }
        return update
    }

    /// The dishes that are different, in their order. One that somebody else has removed comes back as a new one.
    var itemChanges: [ItemChange] {
        let changes = mine.compactMap { field, value -> ItemChange? in
            guard case .item(let id) = field, let quantity = Int(value) else { return nil }
            guard base.items.contains(where: { $0.id == id }) else {
                let name = conflicts.first { $0.field == field }?.name ?? field.name(in: base)
                return .add(OrderItemCreate(id: id, name: name, quantity: quantity))
            }
            return quantity == 0 ? .remove(id) : .setQuantity(id, quantity)
        }
        return changes.sorted { position($0) < position($1) } + added.map { .add($0) }
    }

    private func position(_ change: ItemChange) -> Int {
        switch change {
        case .setQuantity(let id, _), .remove(let id): base.items.firstIndex { $0.id == id } ?? .max
        case .add: .max
        }
    }
}
