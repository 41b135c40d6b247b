import Foundation
import TestSupport
public import Testing

/// The programs of Redis.
enum RedisInstallation {
    static let server = Program.path(of: "redis-server")
    static let client = Program.path(of: "redis-cli")
}

extension RedisServer {
    /// Whether tests run on Redis: where it is installed, and in continuous integration, where they fail without it.
    public static var isExpected: Bool {
        ProcessInfo.processInfo.environment["CI"] != nil || RedisInstallation.server != nil
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test on a person's machine that lacks Redis. In continuous integration it runs, and fails.
    public static var needsRedis: Self {
        .enabled(if: RedisServer.isExpected, "needs Redis: run scripts/setup test")
    }
}

/// A program that is waited for.
public enum Program {
    /// Where a program is; nil if it is not installed.
    public static func path(of name: String) -> String? {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let candidates = (path + ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"]).map {
            "\($0)/\(name)"
        }
        return candidates.first(where: FileManager.default.isExecutableFile(atPath:))
    }

    /// Runs a program to its end.
    ///
    /// - Returns: What it printed, without white space around it.
    /// - Throws: ``RedisTestFailure`` with what it printed if it fails.
    @discardableResult
    public static func run(_ command: [String]) async throws -> String {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("tidings-run-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data().write(to: file)
        let writing = try FileHandle(forWritingTo: file)
        let process = try ChildProcess(command, output: writing.fileDescriptor, errors: writing.fileDescriptor)
        let status = await process.exitStatus
        let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        guard status == 0 else {
            throw RedisTestFailure(description: "\(command.joined(separator: " ")) ended with \(status): \(text)")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
