/// What the server is known to have, and the optimistic changes on top of it.
///
/// Its methods run the caller's functions, so the owner works on a copy outside of its lock and puts it back if nothing
/// happened meanwhile.
struct Overlay<Value: Sendable>: Sendable {
    typealias Change = @Sendable (inout Value) -> Void

    struct Patch: Sendable {
        let identifier: UInt64
        let change: Change
    }

    /// The changes that are under way.
    private struct Pending: Sendable {
        /// Asked for and not answered, in the order in which they were asked for.
        var patches: [Patch] = []
        /// Confirmed while a fetch was running, which may have read the server before they reached it: they are done once
        /// more to what it brings, so that no confirmed change disappears.
        var landed: [Change] = []
        /// The base with the patches on top.
        var visible: Value?

        var isEmpty: Bool { patches.isEmpty && landed.isEmpty }
    }

    /// What the server is known to have.
    private(set) var base: Value?
    private var pending = Boxed<Pending>.none
    /// Whether a fetch runs, which may bring what was true before a change reached the server.
    private var expectsArrival = false

    init(base: Value? = nil) {
        self.base = base
    }

    /// What is shown.
    var visible: Value? {
        guard let pending = pending.value, !pending.patches.isEmpty else { return base }
        return pending.visible
    }

    var hasPatches: Bool { !(pending.value?.patches.isEmpty ?? true) }

    func hasPatch(_ identifier: UInt64) -> Bool {
        pending.value?.patches.contains { $0.identifier == identifier } ?? false
    }

    /// Without data, and with the changes that are under way.
    var emptied: Overlay {
        var overlay = Overlay()
        if let patches = pending.value?.patches, !patches.isEmpty { overlay.keep(Pending(patches: patches)) }
        return overlay
    }

    /// The value was set: it is what the server has from here on.
    mutating func replace(_ value: Value) {
        base = value
        replay()
    }

    /// What the server has was changed in place.
    mutating func update(_ change: (inout Value) -> Void) {
        guard var value = base else { return }
        change(&value)
        replace(value)
    }

    /// A fetch has ended with a value.
    ///
    /// - Returns: Whether changes were confirmed while it ran, so that the value may not know them.
    mutating func arrive(_ value: Value) -> Bool {
        let landed = pending.value?.landed ?? []
        var value = value
        for change in landed { change(&value) }
        awaitArrival(false)
        replace(value)
        return !landed.isEmpty
    }

    /// A fetch begins, or has ended without a value: what was confirmed until now, the server knows.
    mutating func awaitArrival(_ isExpected: Bool) {
        expectsArrival = isExpected
        guard var pending = pending.value else { return }
        pending.landed = []
        keep(pending)
    }

    mutating func add(_ patch: Patch) {
        var pending = pending.value ?? Pending()
        var value = pending.patches.isEmpty ? base : pending.visible
        if value != nil { value.change(patch.change) }
        pending.patches.append(patch)
        pending.visible = value
        self.pending.value = pending
    }

    /// A change has failed: the others stay as they are.
    mutating func remove(_ identifier: UInt64) {
        guard var pending = pending.value else { return }
        pending.patches.removeAll { $0.identifier == identifier }
        keep(pending)
        replay()
    }

    /// A change has been made by the server: it becomes part of what the server has.
    ///
    /// - Parameter truth: What the server says it did, if that is more than was asked for.
    mutating func confirm(_ identifier: UInt64, as truth: Change?) {
        guard var pending = pending.value,
            let index = pending.patches.firstIndex(where: { $0.identifier == identifier })
        else { return }
        let change = truth ?? pending.patches[index].change
        pending.patches.remove(at: index)
        if expectsArrival { pending.landed.append(change) }
        keep(pending)
        if base != nil { base.change(change) }
        replay()
    }

    private mutating func replay() {
        guard var pending = pending.value, !pending.patches.isEmpty else { return }
        var value = base
        if value != nil {
            for patch in pending.patches { value.change(patch.change) }
        }
        pending.visible = value
        self.pending.value = pending
    }

    private mutating func keep(_ pending: Pending) {
        self.pending.value = pending.isEmpty ? nil : pending
    }
}

extension Optional {
    /// Changes what is there, in place.
    fileprivate mutating func change(_ change: (inout Wrapped) -> Void) {
        guard var value = self else { return }
        // Only one reference: a change of an array's element copies no array.
        self = nil
        change(&value)
        self = value
    }
}
