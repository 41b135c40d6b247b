import Foundation
import TestSupport
import Testing

/// What `Tests/Vectors` keeps is what `GET /metrics` writes: the tests of the metrics compare the two.
@Suite("Metrics before Prometheus's own parser", .timeLimit(.patience))
struct PrometheusParserTests {
    private static let program = """
        import sys
        from prometheus_client.parser import text_string_to_metric_families
        families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
        for family in families:
            assert family.type in ("counter", "gauge", "histogram", "summary"), family.name
            assert family.documentation and family.samples, family.name
            if family.type == "histogram":
                buckets = [sample.value for sample in family.samples if sample.name.endswith("_bucket")]
                assert buckets == sorted(buckets), family.name
                assert [sample.value for sample in family.samples if sample.name.endswith("_count")] == buckets[-1:]
        labels = [sample.labels for family in families if family.name == "orders" for sample in family.samples]
        assert {"table": 'a "b"\\\\c\\nd'} in labels, labels
        print("read", len(families), "families")
        """

    @Test("every metric is read, with what it means and its labels as they were", .needs(.prometheusParser))
    func valid() async throws {
        let parser = try Self.parser(of: Self.file.path)
        #expect(try await parser.line(containing: "families") == "read 16 families")
        #expect(try await parser.exitStatus() == 0)
    }

    @Test("a text that is none would be found", .needs(.prometheusParser))
    func invalid() async throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let copy = folder.file("metrics.txt")
        try Data(text.replacing("litres_poured 1.5", with: "litres_poured much").utf8).write(to: URL(filePath: copy))
        #expect(try await Self.parser(of: copy).exitStatus() != 0)
    }

    private static func parser(of path: String) throws -> RunningProgram {
        try RunningProgram.start(try Tool.prometheusParser.require(), ["-c", program, path])
    }

    private static var file: URL {
        URL(filePath: Programs.packageRoot).appending(path: "Tests/Vectors/metrics.txt")
    }
}
