/// Measures the query cache. Build it for release.
@main
struct QueryBenchmarks {
    static func main() async throws {
        // First, while the process is fresh: memory that was used before would be used again.
        let memory = memory()
        var lines = [optimisticUpdate(), invalidatePrefix(), manyObservers()]
        if let memory { lines.append(memory) }
        lines.append(try await restore())
        printTable(lines)
    }
}
