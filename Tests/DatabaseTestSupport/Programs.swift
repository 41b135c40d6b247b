import Foundation

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
        let process = try process(command)
        process.standardInput = try FileHandle(forReadingFrom: source)
        let handle = try FileHandle(forWritingTo: output)
        process.standardOutput = handle
        process.standardError = handle
        let status = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try ProcessStart.run(process)
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
        let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        guard status == 0 else {
            throw DatabaseTestFailure("\(command.joined(separator: " ")) ended with \(status): \(text)")
        }
        return text
    }

    static func process(_ command: [String]) throws -> Process {
        guard let program = command.first else { throw DatabaseTestFailure("there is no command") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = Array(command.dropFirst())
        process.environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LC_ALL": "C"]
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        return process
    }

    /// Where a program is; nil if it is not installed.
    static func path(of name: String, in folders: [String] = []) -> String? {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let candidates = (folders + path + ["/usr/sbin", "/sbin"]).map { "\($0)/\(name)" }
        return candidates.first(where: FileManager.default.isExecutableFile(atPath:))
    }
}
