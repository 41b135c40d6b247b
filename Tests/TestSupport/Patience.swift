public import Testing

extension Duration {
    /// How long a test waits for something that comes by itself. Over means that it hangs, not that a machine is slow:
    /// what a test proves never depends on it.
    public static let patience: Duration = .seconds(120)
}

extension TimeLimitTrait.Duration {
    /// How long a test may take. Over means that it hangs: many run at the same time, and wait for each other.
    public static let patience: Self = .minutes(20)
}
