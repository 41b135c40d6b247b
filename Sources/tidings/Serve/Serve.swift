import ArgumentParser
import Foundation

/// `tidings serve`: a broadcast server.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a broadcast server.",
        discussion: """
            Clients connect to /ws/broadcast, services publish with POST /broadcast. Without settings everybody on this \
            machine may listen, and nobody publish. A setting is an option, a variable of the environment, or a line of \
            the file, in this order; lists are separated by spaces.

            \(SettingsHelp.options)

            Exit status: 0 when it was stopped, 1 when it cannot serve, 78 when a setting is wrong.

            Examples:
              tidings serve --channels-publishable bell
              TIDINGS_AUTHENTICATION_SECRET=$(cat secret) tidings serve --config tidings.yaml
            """
    )

    @Option(help: "A YAML file with settings; without it, the environment's TIDINGS_CONFIG.")
    var config: String?

    @Flag(help: "Print what was set, and where, as such a file, and end. Secrets are not printed.")
    var printConfig = false

    @Flag(help: .hidden)
    var printTable = false

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var settings: [String] = []

    func run() async throws {
        guard !printTable else { return Console.print(SettingsHelp.markdown) }
        let environment = ProcessInfo.processInfo.environment
        do {
            let values = try ServeSettings.read(
                arguments: settings,
                environment: environment,
                file: config ?? environment["TIDINGS_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
            )
            guard !printConfig else { return Console.print(values.text(of: ServeSettings.all), terminator: "") }
            try await BroadcastServer(values).run()
        } catch let error as SettingsErrors {
            for error in error.errors { Console.complain("tidings serve: \(error.message)") }
            throw ExitCode(78)
        } catch let error as ServeError {
            Console.complain("tidings serve: \(error.message)")
            throw ExitCode.failure
        }
    }
}

/// Where a program speaks to people.
enum Console {
    /// To standard output.
    static func print(_ text: String, terminator: String = "\n") {
        try? FileHandle.standardOutput.write(contentsOf: Data((text + terminator).utf8))
    }

    /// To standard error.
    static func complain(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
    }
}
