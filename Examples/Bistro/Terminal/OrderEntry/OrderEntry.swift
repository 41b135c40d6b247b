import BistroAPI
import Foundation
import TidingsSync

/// Takes one order: each dish is sent at once, and shown before the server has answered.
actor OrderEntry {
    private let table: String
    private let menu: Menu
    private let sync: SyncClient
    private let dialogue: Dialogue
    private let list: Query<OrderList>
    private var identifier = UUID()
    private var note: String?
    /// Makes the order; nil as long as there is nothing in it.
    private var creation: MutationHandle<Order>?
    /// What was asked for, and may wait for the order to be made.
    private var asked: [Asked] = []
    /// How much was asked for and not done.
    private(set) var failures = 0

    private struct Asked: Sendable {
        /// The dish that it is about; nil for what is none.
        let dish: String?
        let discard: @Sendable () -> Void
        let finished: @Sendable () async -> Void

        init<Output>(_ handle: MutationHandle<Output>, dish: String? = nil) {
            self.dish = dish
            discard = { handle.discard() }
            finished = { _ = try? await handle.value() }
        }
    }

    init(table: String, note: String? = nil, menu: Menu, _ sync: SyncClient, _ dialogue: Dialogue) {
        self.table = table
        self.note = note
        self.menu = menu
        self.sync = sync
        self.dialogue = dialogue
        list = sync.orders.entry(table: table)
    }

    /// Takes what is typed until it is sent, or there is nothing more.
    func run() async {
        await watching {
            await withDiscardingTaskGroup { answers in
                dialogue.open()
                while let line = await dialogue.nextLine(), await obey(line, &answers) {}
            }
        }
        dialogue.close()
    }

    /// Takes dishes that are known already, and waits for the answers.
    func take(_ choices: [Menu.Choice]) async {
        await watching {
            await withDiscardingTaskGroup { answers in
                await begin(&answers)
                for choice in choices { await add(choice, &answers) }
            }
        }
    }

    /// The order as the server has it; nil if there is none.
    func result() async -> Order? {
        guard creation != nil else { return nil }
        let shown = shown
        guard let order = try? await sync.queries.fetch(sync.orders.detail(identifier)) else { return shown }
        return order
    }

    private var shown: Order? { sync.queries.data(of: list)?.items.first { $0.id == identifier } }

    /// What is observed is kept right, and shown, while something is done.
    private func watching(_ body: () async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watchOrders() }
            group.addTask { await self.watchChanges() }
            group.addTask { await self.watchConnection() }
            await body()
            group.cancelAll()
        }
    }
}

// MARK: - What is typed

extension OrderEntry {
    /// - Returns: Whether there is more to come.
    private func obey(_ line: String, _ answers: inout DiscardingTaskGroup) async -> Bool {
        do {
            switch try OrderEntryCommand(line) {
            case .add(let text): await add(try menu.choose(text), &answers)
            case .note(let text): await write(text, &answers)
            case .remove(let number): try await remove(number, &answers)
            case .menu: for dish in menu.lines { dialogue.say(dish) }
            case .help:
                for line in OrderEntryCommand.usage.split(separator: "\n") { dialogue.say(StyledLine(String(line))) }
            case .send: return false
            case .nothing: break
            }
        } catch {
            fail(Failure.sentence(error))
        }
        return true
    }

    private func fail(_ sentence: String) {
        failures += 1
        dialogue.complain(sentence)
    }
}

// MARK: - What is sent

extension OrderEntry {
    private func begin(_ answers: inout DiscardingTaskGroup) async {
        guard creation == nil else { return }
        let events = sync.queries.events()
        let input = OrderCreate(id: identifier, table: table, note: note)
        let handle = sync.queries.start(sync.orders.create, input)
        creation = handle
        answers.addTask { await self.wait(for: handle) }
        await untilShown(handle, events)
    }

    private func add(_ choice: Menu.Choice, _ answers: inout DiscardingTaskGroup) async {
        await begin(&answers)
        // It may have been refused by now, which was said.
        guard let creation else { return }
        let events = sync.queries.events()
        let item = OrderItemCreate(name: choice.dish, quantity: choice.quantity)
        let handle = sync.queries.start(sync.orders.addItem, .init(to: identifier, item))
        asked.append(Asked(handle, dish: item.text))
        answers.addTask { await self.wait(for: handle, after: creation, "\(item.text) was not added") }
        await untilShown(handle, events)
    }

    private func write(_ text: String?, _ answers: inout DiscardingTaskGroup) async {
        guard let creation else {
            note = text
            // There is nothing to begin an order for.
            return text == nil ? () : await begin(&answers)
        }
        let events = sync.queries.events()
        let input = Orders.Update(identifier, OrderUpdate(note: .to(text)))
        let handle = sync.queries.start(sync.orders.update, input)
        asked.append(Asked(handle))
        answers.addTask { await self.wait(for: handle, of: input, after: creation) }
        await untilShown(handle, events)
    }

    private func remove(_ number: Int, _ answers: inout DiscardingTaskGroup) async throws {
        // Who sees nothing counts what was typed, whether it is shown already or not.
        if !dialogue.isInteractive { for asked in asked { await asked.finished() } }
        let items = shown?.items ?? []
        guard let creation, number <= items.count else {
            throw CommandFailure("There is no dish number \(number).")
        }
        let events = sync.queries.events()
        let item = items[number - 1]
        let handle = sync.queries.start(sync.orders.removeItem, .init(item.id, of: identifier))
        asked.append(Asked(handle))
        answers.addTask { await self.wait(for: handle, after: creation, "\(item.text) was not removed") }
        await untilShown(handle, events)
    }

    /// Returns when a change is shown, or over: so changes are shown in the order in which they were typed, and those of an
    /// order where there is one.
    private func untilShown<Output>(
        _ handle: MutationHandle<Output>,
        _ events: some AsyncSequence<QueryEvent, Never>
    ) async {
        for await event in events {
            switch event {
            case .changedOptimistically(list.key): return
            case .mutation(handle.identifier, let status) where !status.isPending: return
            default: break
            }
        }
    }

    private func wait<Output>(
        for handle: MutationHandle<Output>,
        after creation: MutationHandle<Order>,
        _ failure: String
    ) async {
        do {
            try await handle.value()
        } catch is CancellationError {
        } catch {
            // With the order, everything in it was given up, which was said.
            guard (try? await creation.value()) != nil else { return }
            fail("\(failure): \(Failure.sentence(error))")
        }
    }

    /// Whoever writes the note last is right, whatever else of the order has changed.
    private func wait(
        for handle: MutationHandle<Order>,
        of input: Orders.Update,
        after creation: MutationHandle<Order>
    ) async {
        let failure = "The note was not changed"
        do {
            try await handle.value()
        } catch let conflict as EntityConflict<Order> where conflict.cause.code == .staleVersion {
            let again = Orders.Update(input.id, input.changes, version: conflict.current.version)
            await wait(for: sync.queries.start(sync.orders.update, again), after: creation, failure)
        } catch {
            await wait(for: handle, after: creation, failure)
        }
    }

    private func wait(for creation: MutationHandle<Order>) async {
        do {
            try await creation.value()
        } catch is CancellationError {
        } catch {
            let lost = asked.compactMap(\.dish).joined(separator: ", ")
            // The next dish begins another order.
            (identifier, self.creation) = (UUID(), nil)
            for asked in asked { asked.discard() }
            asked = []
            fail("Nothing was ordered\(lost.isEmpty ? "" : " (\(lost))"): \(Failure.sentence(error))")
        }
    }
}

// MARK: - What is shown

extension OrderEntry {
    private func watchOrders() async {
        for await _ in sync.queries.snapshots(of: list) { show() }
    }

    /// A change that is confirmed looks as it did before, but for its mark.
    private func watchChanges() async {
        for await event in sync.queries.events(buffered: 16) {
            switch event {
            case .changeConfirmed(list.key), .changeRolledBack(list.key): show()
            default: break
            }
        }
    }

    private func watchConnection() async {
        for await _ in sync.broadcast.stateChanges { show() }
    }

    private func show() {
        let confirmed = sync.queries.baseData(of: list)?.items.first { $0.id == identifier }
        let lines = OrderSlip(table: table, order: shown, confirmed: confirmed).lines
        dialogue.show([ConnectionText.trouble(sync.broadcast.state)].compactMap(\.self) + lines)
    }
}

extension Orders {
    /// The list that an order for a table is shown in from the moment that it is asked for.
    func entry(table: String) -> Query<OrderList> {
        list(Filter(table: [table], status: [.open, .preparing, .ready], limit: 50))
    }
}

extension Menu {
    /// What there is, as people read it.
    var lines: [StyledLine] {
        dishes.map { dish in
            let cents = dish.priceInCents % 100
            let price = "€\(dish.priceInCents / 100).\(cents < 10 ? "0" : "")\(cents)"
            return StyledLine(dish.isAvailable ? "\(dish.name)  \(price)" : "\(dish.name)  sold out")
        }
    }
}
