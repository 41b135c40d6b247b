import Foundation
import SocketTestSupport
import TestSupport

/// A `tidings serve` in a process of its own, on a free port.
struct ServeProcess {
    let program: RunningProgram
    /// Where clients connect.
    let url: String

    /// Starts a server, and waits until it listens.
    static func start(_ arguments: String...) async throws -> ServeProcess {
        let options = ["serve", "--port", "0", "--drain-window", "0s"] + arguments
        let program = try RunningProgram.start(try Products.program("tidings"), options)
        let line = try await program.line(containing: "listening on ")
        return ServeProcess(program: program, url: String(line.dropFirst("listening on ".count)))
    }

    /// Stops it as an operator would.
    func stop() async throws -> Int32 {
        program.interrupt()
        return try await program.exitStatus()
    }

    /// Publishes with `tidings publish`.
    ///
    /// - Returns: The event's position.
    func publish(_ event: String, on channel: String) async throws -> String {
        let arguments = ["publish", url, channel, #"{"entity_id":"42"}"#, "--event", event]
        let program = try RunningProgram.start(try Products.program("tidings"), arguments)
        let position = try await program.line(containing: ":")
        guard try await program.exitStatus() == 0 else { throw TestFailure("it was not published") }
        return position
    }
}
