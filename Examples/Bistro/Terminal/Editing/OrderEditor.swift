import BistroAPI
import Foundation
import TidingsSync

/// Edits one order that is not fetched again meanwhile: says when it went stale, and what to do about conflicts.
actor OrderEditor {
    private let query: Query<Order>
    private let menu: Menu
    private let sync: SyncClient
    private let dialogue: Dialogue
    private var draft: OrderDraft
    private var news = EditSheet.News.none
    /// What happens to the cache while this is so, is done here.
    private var isBusy = false
    /// Whether somebody has said once that they give up.
    private var isLeaving = false
    /// How much was asked for and not done.
    private(set) var failures = 0

    init(_ order: Order, menu: Menu, _ sync: SyncClient, _ dialogue: Dialogue) {
        // Also what has changed before it is observed is not fetched, only told.
        query = sync.orders.detail(order.id, live: false).with { $0.refetchOnMount = .never }
        draft = OrderDraft(order)
        self.menu = menu
        self.sync = sync
        self.dialogue = dialogue
    }

    /// Takes what is typed until somebody quits, or there is nothing more.
    ///
    /// - Throws: ``CommandFailure`` if it ends with something that was not saved.
    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watchOrder() }
            group.addTask { await self.watchConnection() }
            dialogue.open()
            dialogue.present(sheet)
            while let line = await dialogue.nextLine(), await obey(line) {}
            group.cancelAll()
        }
        dialogue.close()
        // To give up is said with `quit`.
        if draft.isDirty, !isLeaving { throw CommandFailure("\(draft.base.name) was changed and not saved.") }
    }

    private var sheet: [StyledLine] {
        EditSheet(draft: draft, news: news, connection: sync.broadcast.state).lines
    }

    private func fail(_ sentence: String) {
        failures += 1
        dialogue.complain(sentence)
    }
}

// MARK: - What others do

extension OrderEditor {
    private func watchOrder() async {
        // What is read may be older than what was done here since then: what counts is how it is now.
        for await _ in sync.queries.snapshots(of: query) where !isBusy { look() }
    }

    private func watchConnection() async {
        for await _ in sync.broadcast.stateChanges where !isBusy { dialogue.show(sheet) }
    }

    private func look() {
        let state = sync.queries.state(of: query)
        let isNewer = state?.data.map { $0.version > draft.base.version } ?? false
        guard news == .none, isNewer || state?.isStale ?? false else { return dialogue.show(sheet) }
        news = .changed
        dialogue.show(sheet)
        if !dialogue.isInteractive {
            dialogue.say(
                StyledLine("\(draft.base.name) was changed by somebody else: `reload`, or `save` anyway will conflict.")
            )
        }
    }

    /// Does something to the order here, and looks at what others have done meanwhile after it.
    private func busy(_ body: () async throws -> Void) async {
        isBusy = true
        dialogue.show(sheet + [StyledLine("One moment…", .quiet)])
        do {
            try await body()
        } catch {
            fail(error)
        }
        isBusy = false
        look()
    }

    private func fail(_ error: any Error) {
        guard let error = error as? APIError, error.code == .notFound else { return fail(Failure.sentence(error)) }
        news = .deleted
        fail("\(draft.base.name) was deleted by somebody else.")
    }
}

// MARK: - What is typed

extension OrderEditor {
    /// - Returns: Whether there is more to come.
    private func obey(_ line: String) async -> Bool {
        do {
            let command = try EditCommand(line)
            guard command != .quit else { return !leaves() }
            isLeaving = false
            try await obey(command)
        } catch {
            fail(Failure.sentence(error))
        }
        dialogue.show(sheet)
        return true
    }

    private func obey(_ command: EditCommand) async throws {
        switch command {
        case .table(let table): draft.set(.table, to: table)
        case .note(let note): draft.set(.note, to: note)
        case .status(let status): try set(status)
        case .add(let text):
            let choice = try menu.choose(text)
            draft.add(OrderItemCreate(name: choice.dish, quantity: choice.quantity))
        case .remove(let number): try change(number, to: 0)
        case .quantity(let number, let quantity): try change(number, to: quantity)
        case .choose(let side, let which): try choose(side, which)
        case .show: dialogue.present(sheet)
        case .reload: await reload()
        case .save: await save()
        case .help:
            for line in EditCommand.usage.split(separator: "\n") { dialogue.say(StyledLine(String(line))) }
        case .quit, .nothing: break
        }
    }

    private func leaves() -> Bool {
        defer { isLeaving = true }
        guard draft.isDirty, dialogue.isInteractive, !isLeaving else { return true }
        dialogue.complain("What you changed is not saved: `save`, or `quit` once more.")
        return false
    }

    private func set(_ status: String) throws {
        let choices = [draft.base.status] + draft.base.status.transitions
        guard choices.contains(OrderStatus(rawValue: status)) else {
            let names = draft.base.status.transitions.map(\.rawValue).joined(separator: " or ")
            throw CommandFailure(
                "What is \(draft.base.status.rawValue) can become \(names.isEmpty ? "nothing" : names)."
            )
        }
        draft.set(.status, to: status)
    }

    private func change(_ number: Int, to quantity: Int) throws {
        let items = draft.base.items
        guard number <= items.count + draft.added.count else {
            throw CommandFailure("There is no dish number \(number).")
        }
        guard number > items.count else { return draft.set(.item(items[number - 1].id), to: String(quantity)) }
        let added = draft.added[number - items.count - 1]
        if quantity == 0 { draft.removeAdded(added.id) } else { draft.setQuantity(ofAdded: added.id, to: quantity) }
    }

    /// - Parameter which: A name, or a number as it is shown; nil is all that are not decided.
    private func choose(_ side: OrderDraft.Side, _ which: String?) throws {
        let found = draft.conflicts.enumerated().filter { index, conflict in
            guard let which else { return conflict.choice == nil }
            return which == String(index + 1) || which.lowercased() == conflict.name.lowercased()
        }
        guard !found.isEmpty else { throw CommandFailure("There is no such conflict.") }
        for (_, conflict) in found { draft.resolve(conflict.field, side) }
        if draft.isDecided { dialogue.say("Everything is decided: `save` again.") }
    }
}

// MARK: - The server

extension OrderEditor {
    private func reload() async {
        await busy {
            rebase(on: try await fetch())
            dialogue.present(sheet)
        }
    }

    private func save() async {
        guard news != .deleted else { return fail("It was deleted: there is nothing to save any more.") }
        guard draft.isDirty else { return dialogue.say("There is nothing to save.") }
        guard draft.isDecided else { return fail("Choose what to keep, then `save` again: `mine` or `theirs`.") }
        await busy {
            do {
                try await send()
                draft.forgetConflicts()
                dialogue.say(StyledLine("Saved: \(draft.base.name) is at version \(draft.base.version).", .good))
            } catch let conflict as EntityConflict<Order> where conflict.cause.code == .staleVersion {
                // It is in the cache, but marked as stale.
                collide((try? await fetch()) ?? conflict.current)
            }
        }
    }

    /// The fields, with the version that was shown; then the dishes, one by one.
    private func send() async throws {
        let input = Orders.Update(draft.base.id, draft.update, version: draft.base.version)
        let changes = draft.itemChanges
        draft.rebase(on: try await sync.queries.mutate(sync.orders.update, input))
        guard !changes.isEmpty else { return }
        do {
            for change in changes { try await send(change) }
        } catch {
            // What was done is done: the rest stays in the draft.
            if let order = try? await fetch() { draft.rebase(on: order) }
            throw error
        }
        draft.rebase(on: try await fetch())
    }

    private func send(_ change: OrderDraft.ItemChange) async throws {
        let (orders, id) = (sync.orders, draft.base.id)
        switch change {
        case .add(let item): try await sync.queries.mutate(orders.addItem, .init(to: id, item))
        case .remove(let item): try await sync.queries.mutate(orders.removeItem, .init(item, of: id))
        case .setQuantity(let item, let quantity):
            let changes = OrderItemUpdate(quantity: .to(quantity))
            try await sync.queries.mutate(orders.updateItem, .init(item, of: id, changes))
        }
    }

    private func collide(_ current: Order) {
        failures += 1
        rebase(on: current)
        let advice =
            draft.conflicts.isEmpty
            ? "That does not touch what you changed: `save` again." : "Choose `mine` or `theirs`, then `save` again."
        dialogue.complain("Not saved: somebody else was faster. \(advice)")
        dialogue.present(sheet)
    }

    /// Shows what others have changed, and keeps what was changed here.
    private func rebase(on current: Order) {
        let old = draft.base
        let different = draft.rebase(on: current)
        news = .none
        let conflicts = draft.conflicts.map(\.field)
        for field in different where !conflicts.contains(field) {
            let (before, after) = (field.text(field.value(in: old)), field.text(field.value(in: current)))
            dialogue.say(StyledLine("They changed \(field.name(in: current, old)): \(before) → \(after)"))
        }
    }

    /// The order as it is now, whatever is known.
    private func fetch() async throws -> Order {
        sync.queries.invalidate(.exactly(query.key), refetch: .none)
        return try await sync.queries.fetch(query)
    }
}
