/// What follows from a change of the cache, to be done after the critical section.
struct Effects: Sendable {
    /// Observers are told first, so that whoever awaited a fetch finds them up to date.
    private var notices: [@Sendable () -> Void] = []
    private var others: [@Sendable () -> Void] = []
    /// What was let go: the end of it may run a function of a caller.
    private var released: [any Sendable] = []

    mutating func notify(_ notice: @escaping @Sendable () -> Void) {
        notices.append(notice)
    }

    mutating func perform(_ effect: @escaping @Sendable () -> Void) {
        others.append(effect)
    }

    /// Keeps something until the critical section is over.
    mutating func release(_ value: some Sendable) {
        released.append(value)
    }

    func perform() {
        for notice in notices { notice() }
        for effect in others { effect() }
    }
}
