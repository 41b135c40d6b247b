/// Metrics as Prometheus reads them: its text format, version 0.0.4.
struct PrometheusText {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// What the values of a metric mean.
    enum Kind: String {
        /// Only grows.
        case counter
        /// Goes up and down.
        case gauge
        /// How many values there were up to each of several bounds.
        case histogram
        /// How many values there were, and how much all together.
        case summary
    }

    /// A metric with all its values.
    struct Family {
        let name: String
        let help: String
        let kind: Kind
        var samples: [Sample] = []
    }

    /// A value.
    struct Sample {
        /// What follows the metric's name: `_count` and the like.
        var suffix = ""
        var labels: [Label] = []
        let value: Double
    }

    struct Label: Hashable {
        let name: String
        let value: String
    }

    /// Writes metrics in the order of their names. Of two with one name the first one counts.
    static func write(_ families: [Family]) -> String {
        var names: Set<String> = []
        let distinct = families.filter { !$0.samples.isEmpty && names.insert($0.name).inserted }
        return distinct.sorted { $0.name < $1.name }.map(write).joined()
    }

    private static func write(_ family: Family) -> String {
        let help = family.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        let head = "# HELP \(family.name) \(help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
        return family.samples.reduce(into: head) { $0 += write($1, of: family.name) }
    }

    private static func write(_ sample: Sample, of name: String) -> String {
        let labels = sample.labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
        return name + sample.suffix + (labels.isEmpty ? "" : "{\(labels)}") + " " + number(sample.value) + "\n"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing("\"", with: "\\\"")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        guard value.isFinite else { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? String(value)
    }
}

// MARK: - Names

extension PrometheusText {
    /// A name as a metric may have it: letters, digits, `_` and `:`, and no digit first.
    static func metricName(_ label: String) -> String { name(label, also: ":") }

    /// A name as a label may have it: letters, digits and `_`, and no digit first.
    static func labelName(_ label: String) -> String { name(label, also: "_") }

    private static func name(_ text: String, also: Character) -> String {
        let name = String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == also ? $0 : "_" })
        return name.first?.isNumber ?? true ? "_" + name : name
    }
}

// MARK: - Several values at once

extension [PrometheusText.Sample] {
    /// A histogram.
    ///
    /// - Parameters:
    ///   - bounds: Of the ranges, in ascending order.
    ///   - counts: How many values each range has, and one number more for those beyond the last.
    static func histogram(
        bounds: [Double],
        counts: [Int],
        sum: Double,
        labels: [PrometheusText.Label] = []
    ) -> [PrometheusText.Sample] {
        var total = 0
        var samples: [PrometheusText.Sample] = []
        for (place, count) in counts.enumerated() {
            total += count
            let bound = place < bounds.count ? PrometheusText.number(bounds[place]) : "+Inf"
            samples.append(
                .init(suffix: "_bucket", labels: labels + [.init(name: "le", value: bound)], value: Double(total))
            )
        }
        samples.append(.init(suffix: "_sum", labels: labels, value: sum))
        samples.append(.init(suffix: "_count", labels: labels, value: Double(total)))
        return samples
    }
}
