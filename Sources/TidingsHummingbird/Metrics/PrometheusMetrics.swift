public import CoreMetrics
public import Logging
import Synchronization

/// Keeps the metrics of a process (swift-metrics) for Prometheus to read.
///
/// Name it in the endpoints, or to `addBroadcastAdministration`, and what it keeps is shown at `GET /metrics` beside what the
/// hub has counted. What is to count with it is told so: libraries that take a factory are given this one, and a program may
/// make it the one of its process:
///
/// ```swift
/// let metrics = PrometheusMetrics()
/// MetricsSystem.bootstrap(metrics)
/// endpoints.metrics = metrics
/// ```
///
/// Counters and meters count without a lock. Timers are histograms in seconds, recorders that aggregate are summaries
/// without quantiles. What is destroyed keeps its values: a counter must not go back.
public final class PrometheusMetrics: MetricsFactory {
    private struct Family {
        let kind: PrometheusText.Kind
        /// In the order in which they were made.
        var series: [(labels: [PrometheusText.Label], instrument: any PrometheusInstrument)] = []
        var places: [[PrometheusText.Label]: Int] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var count = 0
    }

    private let state = Mutex(State())
    private let mostSeries: Int
    private let logger: Logger

    /// Makes a factory without metrics.
    ///
    /// - Parameters:
    ///   - mostSeries: How many values it keeps at the most; what comes beyond is counted nowhere, and logged. Labels with
    ///     values of any number, such as identifiers, would need ever more memory otherwise.
    ///   - logger: Hears about that.
    public init(mostSeries: Int = 10_000, logger: Logger = Logger(label: "tidings.metrics")) {
        self.mostSeries = mostSeries
        self.logger = logger
    }

    /// What it keeps, as Prometheus reads it.
    public var text: String { PrometheusText.write(families) }

    var families: [PrometheusText.Family] {
        let known = state.withLock { $0.families }
        return known.map { name, family in
            var written = PrometheusText.Family(name: name, help: name, kind: family.kind)
            for (labels, instrument) in family.series { written.samples += instrument.samples(labels: labels) }
            return written
        }
    }

    private func instrument<Instrument: PrometheusInstrument>(
        _ type: Instrument.Type,
        _ label: String,
        _ dimensions: [(String, String)]
    ) -> Instrument {
        let labels = Self.labels(dimensions)
        let (instrument, isKept) = state.withLock { state in
            // A name means one thing: of another kind it gets another.
            var name = PrometheusText.metricName(label)
            while let family = state.families[name], family.kind != Instrument.kind { name += "_\(Instrument.kind)" }
            var family = state.families[name] ?? Family(kind: Instrument.kind)
            if let place = family.places[labels], let known = family.series[place].instrument as? Instrument {
                return (known, true)
            }
            let made = Instrument()
            guard state.count < mostSeries else { return (made, false) }
            state.count += 1
            family.places[labels] = family.series.count
            family.series.append((labels, made))
            state.families[name] = family
            return (made, true)
        }
        if !isKept { logger.warning("too many metrics; this one is not shown", metadata: ["metric": "\(label)"]) }
        return instrument
    }

    /// Sorted, each name once.
    private static func labels(_ dimensions: [(String, String)]) -> [PrometheusText.Label] {
        let pairs = dimensions.map { name, value in
            let name = PrometheusText.labelName(name)
            // Histograms have one of this name.
            return (name == "le" ? "exported_le" : name, value)
        }
        return Dictionary(pairs) { $1 }.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) }
    }
}

// MARK: - The factory

extension PrometheusMetrics {
    /// Makes a counter.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        instrument(PrometheusCounter.self, label, dimensions)
    }

    /// Makes a counter of fractions.
    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        instrument(PrometheusCounter.self, label, dimensions)
    }

    /// Makes a gauge.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        instrument(PrometheusGauge.self, label, dimensions)
    }

    /// Makes a summary, or a gauge if it does not aggregate.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return instrument(PrometheusGauge.self, label, dimensions) }
        return instrument(PrometheusSummary.self, label, dimensions)
    }

    /// Makes a histogram in seconds; `_seconds` is added to a name that does not end so.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        instrument(PrometheusTimer.self, label.hasSuffix("_seconds") ? label : label + "_seconds", dimensions)
    }

    /// Keeps the value.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Keeps the value.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    /// Keeps the value.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Keeps the value.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Keeps the value.
    public func destroyTimer(_ handler: any TimerHandler) {}
}
