import BistroAPI
import Foundation
import TidingsSync

/// The kitchen for people: keeps a board right, and draws it.
actor KitchenScreen {
    private let query: Query<OrderList>
    private let sync: SyncClient
    private let terminal: any Terminal
    private let now: @Sendable () -> Date
    private var board: KitchenBoard
    private var painter = ScreenPainter()
    private var isOpen = false

    init(
        _ query: Query<OrderList>,
        tables: [String],
        of sync: SyncClient,
        on terminal: any Terminal,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.query = query
        self.sync = sync
        self.terminal = terminal
        self.now = now
        board = KitchenBoard(tables: tables)
        board.hasKeyboard = terminal.hasKeyboard
    }

    /// Takes the screen until somebody quits or the task is cancelled.
    ///
    /// - Throws: ``TerminalClosed`` if the terminal has gone away.
    func run() async throws {
        terminal.readKeys()
        defer { close() }
        try terminal.write(ScreenPainter.begin)
        isOpen = true
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { try await self.watchOrders() }
            group.addTask { try await self.watchConnection() }
            group.addTask { try await self.watchClock() }
            if terminal.hasKeyboard { group.addTask { try await self.readKeys() } }
            while let isOver = try await group.next() {
                if isOver { break }
            }
            group.cancelAll()
        }
    }

    /// Draws everything: the terminal has another size, or something else has written on it.
    func redraw() {
        painter.forget()
        try? draw()
    }

    private func close() {
        isOpen = false
        try? terminal.write(ScreenPainter.end)
        terminal.restore()
    }

    private func draw() throws {
        guard isOpen else { return }
        let size = terminal.size
        let output = painter.paint(board.frame(on: size, at: now()), on: size)
        if !output.isEmpty { try terminal.write(output) }
    }
}

// MARK: - What there is to show

extension KitchenScreen {
    private func watchOrders() async throws -> Bool {
        for await snapshot in sync.queries.snapshots(of: query) {
            board.show(snapshot.data?.items ?? [])
            board.hasMore = snapshot.data?.nextCursor != nil
            board.trouble = snapshot.error.map(Failure.sentence)
            try mark()
        }
        return true
    }

    /// What is not confirmed is what the server is not known to have.
    private func mark() throws {
        let base = sync.queries.baseData(of: query)?.items ?? []
        board.unconfirmed = Set(board.orders.filter { !base.contains($0) }.map(\.id))
        try draw()
    }

    private func watchConnection() async throws -> Bool {
        for await state in sync.broadcast.stateChanges {
            board.connection = state
            try draw()
        }
        return true
    }

    /// Orders grow older.
    private func watchClock() async throws -> Bool {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(10))
            try draw()
        }
        return true
    }
}

// MARK: - What is typed

extension KitchenScreen {
    private func readKeys() async throws -> Bool {
        var reader = KeyReader()
        try await withThrowingDiscardingTaskGroup { answers in
            while let bytes = await terminal.read() {
                for key in reader.read(bytes) {
                    if key == .character("q") { return try sayGoodbye() }
                    guard let handle = press(key) else { continue }
                    answers.addTask { try await self.wait(for: handle.order, handle.answer) }
                }
                try draw()
            }
        }
        return true
    }

    /// What was asked for is waited for.
    private func sayGoodbye() throws {
        guard sync.queries.isMutating() > 0 else { return }
        board.message = "Waiting for the answer: Ctrl-C ends at once."
        try draw()
    }

    private func press(_ key: Key) -> (order: Order, answer: MutationHandle<Order>)? {
        switch key {
        case .up, .character("k"): board.move(by: -1)
        case .down, .character("j"): board.move(by: 1)
        case .enter, .right, .character(" "):
            guard let (order, status) = board.advance() else { return nil }
            // A second press has to find it marked, though the change is shown by another task.
            board.unconfirmed.insert(order.id)
            return (order, sync.queries.start(sync.orders.transition, .init(order.id, to: status)))
        default: break
        }
        return nil
    }

    private func wait(for order: Order, _ answer: MutationHandle<Order>) async throws {
        do {
            try await answer.value()
            // Of several changes, one that is confirmed looks as it did before, but for its mark.
            try mark()
        } catch is CancellationError {
        } catch {
            board.message = "\(order.name) is \(order.status.rawValue) as before: \(Failure.sentence(error))"
            try mark()
        }
    }
}
