extension Duration {
    /// The longest time on the wire, in milliseconds: 24 days, the most that a timer of every language can wait.
    static let mostWireMilliseconds = 2_147_483_647

    /// Whole milliseconds, rounded up so that a short time does not become none; within what the wire has numbers for.
    var wireMilliseconds: Int {
        let most = Duration.milliseconds(Self.mostWireMilliseconds)
        if self <= .zero { return 0 }
        if self >= most { return Self.mostWireMilliseconds }
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }

    /// Takes a number of milliseconds from the wire. What is longer than the longest time is taken for that; nil if it is
    /// less than nothing.
    init?(wireMilliseconds: Int) {
        guard wireMilliseconds >= 0 else { return nil }
        self = .milliseconds(min(wireMilliseconds, Self.mostWireMilliseconds))
    }
}
