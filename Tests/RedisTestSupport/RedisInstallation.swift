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

extension Program {
    /// The path of one of this package's programs, beside the tests.
    public static func built(_ name: String) throws -> String {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        guard let path = ["\(tests)/\(name)", "\(packageRoot)/.build/debug/\(name)"].first(where: isExecutable) else {
            throw RedisTestFailure(description: "\(name) was not built")
        }
        return path
    }

    /// A Python that has some modules; nil if there is none.
    public static func python(with modules: String...) -> String? {
        let candidates = ["\(packageRoot)/.build/python/bin/python", path(of: "python3")].compactMap(\.self)
        return candidates.filter(isExecutable).first { python in
            let code = modules.map { "import \($0)" }.joined(separator: "; ")
            return (try? ChildProcess([python, "-c", code]))?.waitUntilExit() == 0
        }
    }

    private static func isExecutable(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// The folder of the package.
    public static var packageRoot: String {
        let file = URL(fileURLWithPath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }
}
