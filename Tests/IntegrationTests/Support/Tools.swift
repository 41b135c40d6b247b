import Foundation
import TestSupport
import Testing

/// A program of the system that a test needs.
struct Tool: Sendable, CustomStringConvertible {
    let description: String
    private let candidates: [String]
    private let works: @Sendable (String) -> Bool

    /// Any of the names of the browser.
    static let chromium = Tool(description: "chromium", candidates: ["chromium", "chromium-browser", "google-chrome"])
    /// Python with the package `websockets`.
    static let python = python(with: "websockets", module: "websockets.sync.client")
    /// Python with the package `openapi-spec-validator`.
    static let openAPIValidator = python(with: "openapi-spec-validator", module: "openapi_spec_validator")

    /// Python with the package `prometheus-client`.
    static let prometheusParser = python(with: "prometheus-client", module: "prometheus_client.parser")

    private static func python(with package: String, module: String) -> Tool {
        Tool(
            description: "python3 with \(package)",
            candidates: [Programs.packageRoot + "/.build/python/bin/python", "python3"],
            works: { runs($0, ["-c", "import \(module)"]) }
        )
    }

    private init(
        description: String,
        candidates: [String],
        works: @escaping @Sendable (String) -> Bool = { _ in true }
    ) {
        self.description = description
        self.candidates = candidates
        self.works = works
    }

    /// Where it is; nil if it is not installed.
    var path: String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let paths = candidates.flatMap { name in name.hasPrefix("/") ? [name] : folders.map { "\($0)/\(name)" } }
        return paths.first { FileManager.default.isExecutableFile(atPath: $0) && works($0) }
    }

    /// Where it is.
    func require() throws -> String {
        guard let path else { throw TestFailure("\(self) is not installed: run scripts/setup test") }
        return path
    }

    private static func runs(_ program: String, _ arguments: [String]) -> Bool {
        let process = try? ChildProcess([program] + arguments)
        return process?.waitUntilExit() == 0
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test on a person's machine that lacks a tool. In continuous integration it runs, and fails.
    static func needs(_ tool: Tool) -> Self {
        let isContinuousIntegration = ProcessInfo.processInfo.environment["CI"] != nil
        return .enabled(if: isContinuousIntegration || tool.path != nil, "needs \(tool): run scripts/setup test")
    }
}
