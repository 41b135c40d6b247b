import CoreMetrics
import Foundation
import Logging
import Testing
import TidingsBroadcast
import TidingsWire

@testable import TidingsHummingbird

@Suite("Metrics for Prometheus")
struct PrometheusMetricsTests {
    /// Everything that there can be. Another test has the file read by Prometheus's own parser for Python.
    @Test("the text is what Tests/Vectors/metrics.txt has")
    func text() throws {
        let metrics = PrometheusMetrics()
        Counter(label: "orders_total", factory: metrics).increment(by: 3)
        for (table, count) in [("7", 2), ("a \"b\"\\c\nd", 1)] {
            Counter(label: "orders_total", dimensions: [("table", table)], factory: metrics).increment(by: count)
        }
        FloatingPointCounter(label: "litres.poured", factory: metrics).increment(by: 1.5)
        Meter(label: "queue", dimensions: [("kitchen", "cold"), ("1st", "y")], factory: metrics).set(-4)
        Gauge(label: "temperature", factory: metrics).record(Double.nan)
        Gauge(label: "7up", factory: metrics).record(Double.infinity)
        let sizes = Recorder(label: "size_bytes", factory: metrics)
        for size in [100, 250] { sizes.record(size) }
        let timer = Timer(label: "cooking", dimensions: [("le", "x")], factory: metrics)
        for milliseconds in [1, 20, 20, 60_000] { timer.recordNanoseconds(Int64(milliseconds) * 1_000_000) }

        var statistics = HubStatistics()
        statistics.connections = 12
        statistics.delivered = 40
        statistics.closed = [.draining: 2, .normal: 7]
        statistics.broadcastDuration.record(.microseconds(300))
        let text = PrometheusText.write(statistics.families + metrics.families)
        let kept = try String(contentsOf: Self.file, encoding: .utf8)
        #expect(text == kept)
    }

    private static var file: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/metrics.txt")
    }

    @Test("the same name and labels are one value, whoever counts, and it outlives them")
    func same() {
        let metrics = PrometheusMetrics()
        for labels in [[("a", "1"), ("b", "2")], [("b", "2"), ("a", "1")], [("b", "2"), ("a", "0"), ("a", "1")]] {
            let counter = Counter(label: "x_total", dimensions: labels, factory: metrics)
            counter.increment()
            counter.destroy()
        }
        #expect(metrics.text.contains("x_total{a=\"1\",b=\"2\"} 3\n"))
    }

    @Test("a name of two kinds is two names")
    func kinds() {
        let metrics = PrometheusMetrics()
        Counter(label: "x", factory: metrics).increment()
        Gauge(label: "x", factory: metrics).record(5)
        Gauge(label: "x", factory: metrics).record(6)
        #expect(metrics.text.contains("# TYPE x counter\nx 1\n"))
        #expect(metrics.text.contains("# TYPE x_gauge gauge\nx_gauge 6\n"))
    }

    @Test("of a name that the hub has, too, only the hub's is shown")
    func taken() {
        let metrics = PrometheusMetrics()
        Gauge(label: "tidings_connections", factory: metrics).record(99)
        let text = PrometheusText.write(HubStatistics().families + metrics.families)
        #expect(text.contains("tidings_connections 0\n") && !text.contains("99"))
    }

    @Test("there are only so many values")
    func most() {
        let metrics = PrometheusMetrics(mostSeries: 3, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for number in 0..<100 {
            Counter(label: "x", dimensions: [("id", "\(number)")], factory: metrics).increment()
        }
        #expect(metrics.text.split(separator: "\n").filter { $0.hasPrefix("x{") }.count == 3)
        Counter(label: "x", dimensions: [("id", "2")], factory: metrics).increment()
        #expect(metrics.text.contains("x{id=\"2\"} 2\n"))
    }

    @Test("nothing is lost when many count at the same time")
    func concurrent() async {
        let metrics = PrometheusMetrics()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let whole = Counter(label: "whole", factory: metrics)
                    let parts = FloatingPointCounter(label: "parts", factory: metrics)
                    for _ in 0..<10_000 {
                        whole.increment()
                        parts.increment(by: 0.5)
                    }
                }
            }
        }
        #expect(metrics.text.contains("\nwhole 80000\n"))
        #expect(metrics.text.contains("\nparts 40000\n"))
    }

    @Test(
        "names are made what Prometheus takes",
        arguments: [("a.b-c", "a_b_c"), ("9lives", "_9lives"), ("ok:x", "ok:x"), ("", "_"), ("größe", "gr__e")]
    )
    func names(label: String, name: String) {
        #expect(PrometheusText.metricName(label) == name)
        #expect(!PrometheusText.labelName(label).contains(":"))
    }
}
