/// How long something took, many times over.
struct Timing {
    let durations: [Duration]

    /// Measures a part of something.
    ///
    /// - Parameters:
    ///   - rounds: How often; a tenth as many go before, to warm up.
    ///   - prepare: What each round needs, not measured.
    ///   - body: What is measured.
    static func measure<Input>(rounds: Int, prepare: () -> Input, _ body: (Input) -> Void) -> Timing {
        let clock = ContinuousClock()
        for _ in 0..<(rounds / 10) { body(prepare()) }
        let durations = (0..<rounds).map { _ in
            let input = prepare()
            return clock.measure { body(input) }
        }
        return Timing(durations: durations.sorted())
    }

    var median: Duration { durations[durations.count / 2] }
    var worst: Duration { durations[durations.count * 99 / 100] }
}

extension Duration {
    var microseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e6 + Double(attoseconds) / 1e12
    }

    var text: String {
        let number = microseconds
        return number < 1000 ? "\(rounded(number)) µs" : "\(rounded(number / 1000)) ms"
    }
}

/// Three digits that say something.
func rounded(_ number: Double) -> String {
    let factor: Double = number < 10 ? 100 : number < 100 ? 10 : 1
    let value = (number * factor).rounded() / factor
    return value == value.rounded() ? "\(Int(value))" : "\(value)"
}

/// One line of the table.
struct Line {
    let job: String
    /// What TanStack query-core 5.102 takes on Node 20 on a machine of this kind.
    let reference: Double?
    let aim: Double
    let unit: String
    let median: Double
    let worst: Double?

    var columns: [String] {
        [
            job,
            reference.map { "\(rounded($0)) \(unit)" } ?? "–",
            "< \(rounded(aim)) \(unit)",
            "\(rounded(median)) \(unit)",
            worst.map { "\(rounded($0)) \(unit)" } ?? "–",
            reference.map { "\(rounded($0 / median)) ×" } ?? "–",
            median < aim ? "yes" : "no",
        ]
    }
}

func printTable(_ lines: [Line]) {
    let header = ["job", "TanStack", "aim", "median", "99th of 100", "ratio", "met"]
    let rows = [header] + lines.map(\.columns)
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    for (index, row) in rows.enumerated() {
        let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
        print("| " + cells.joined(separator: " | ") + " |")
        if index == 0 { print("|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|") }
    }
}
