import Foundation
import TestSupport

/// What went wrong in a test's surroundings.
public struct DatabaseTestFailure: Error, CustomStringConvertible {
    /// What it was.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A program that is waited for.
enum Programs {
    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - command: Its path and its arguments.
    ///   - folder: Where files may be kept until it ends.
    ///   - input: What it reads.
    /// - Returns: What it printed.
    @discardableResult
    static func run(_ command: [String], in folder: String, input: String = "") async throws -> String {
        let files = FileManager.default
        let base = URL(fileURLWithPath: folder).appendingPathComponent("run-\(UUID().uuidString)")
        let (source, output) = (base.appendingPathExtension("in"), base.appendingPathExtension("out"))
        defer { for file in [source, output] { try? files.removeItem(at: file) } }
        try Data(input.utf8).write(to: source)
        try Data().write(to: output)
        let (reading, writing) = (try FileHandle(forReadingFrom: source), try FileHandle(forWritingTo: output))
        let process = try start(
            command,
            input: reading.fileDescriptor,
            output: writing.fileDescriptor,
            errors: writing.fileDescriptor
        )
        let status = await process.exitStatus
        let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        guard status == 0 else {
            throw DatabaseTestFailure("\(command.joined(separator: " ")) ended with \(status): \(text)")
        }
        return text
    }

    /// Starts a program with an environment that is the same everywhere.
    static func start(
        _ command: [String],
        input: Int32? = nil,
        output: Int32? = nil,
        errors: Int32? = nil
    ) throws -> ChildProcess {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return try ChildProcess(
            command,
            environment: ["PATH": path, "LC_ALL": "C"],
            in: "/",
            input: input,
            output: output,
            errors: errors
        )
    }

    /// Where a program is; nil if it is not installed.
    static func path(of name: String, in folders: [String] = []) -> String? {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let candidates = (folders + path + ["/usr/sbin", "/sbin"]).map { "\($0)/\(name)" }
        return candidates.first(where: FileManager.default.isExecutableFile(atPath:))
    }
}
