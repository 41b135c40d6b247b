import Foundation

/// Programs that are waited for: those of the system, and those that the build made.
public enum Programs {
    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - command: Its path and its arguments.
    ///   - input: What it reads.
    /// - Returns: What it printed, without white space around it.
    /// - Throws: ``TestFailure`` with what it printed if it fails.
    @discardableResult
    public static func run(_ command: [String], input: String = "") async throws -> String {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let (source, output) = (URL(filePath: folder.file("in")), URL(filePath: folder.file("out")))
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
            throw TestFailure("\(command.joined(separator: " ")) ended with \(status): \(text)")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Starts a program with an environment that is the same everywhere.
    ///
    /// - Parameters:
    ///   - command: Its path and its arguments.
    ///   - input: The file descriptor that it reads; nil: nothing to read.
    ///   - output: The file descriptor that it prints on; nil: nowhere.
    ///   - errors: The file descriptor that it prints errors on; nil: nowhere.
    public static func start(
        _ command: [String],
        input: Int32? = nil,
        output: Int32? = nil,
        errors: Int32? = nil
    ) throws -> ChildProcess {
        var environment = ProcessInfo.processInfo.environment.filter { ["HOME", "PATH"].contains($0.key) }
        environment["LC_ALL"] = "C"
        return try ChildProcess(
            command,
            environment: environment,
            in: "/",
            input: input,
            output: output,
            errors: errors
        )
    }
}

// MARK: - Where they are

extension Programs {
    /// Where a program is; nil if it is not installed.
    ///
    /// - Parameters:
    ///   - name: What it is called.
    ///   - folders: Where to look before anywhere else.
    public static func path(of name: String, in folders: [String] = []) -> String? {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let others = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/sbin", "/sbin"]
        return (folders + path + others).map { "\($0)/\(name)" }.first(where: isExecutable)
    }

    /// The path of one of this package's programs, beside the tests.
    public static func built(_ name: String) throws -> String {
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        guard let path = ["\(tests)/\(name)", "\(packageRoot)/.build/debug/\(name)"].first(where: isExecutable) else {
            throw TestFailure("\(name) was not built")
        }
        return path
    }

    /// A Python that has some modules; nil if there is none.
    public static func python(with modules: String...) -> String? {
        let candidates = ["\(packageRoot)/.build/python/bin/python", path(of: "python3")].compactMap(\.self)
        return candidates.filter(isExecutable).first { python in
            let code = modules.map { "import \($0)" }.joined(separator: "; ")
            return (try? start([python, "-c", code]))?.waitUntilExit() == 0
        }
    }

    /// The folder of the package.
    public static var packageRoot: String {
        let file = URL(fileURLWithPath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }

    private static func isExecutable(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }
}
