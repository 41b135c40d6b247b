import ArgumentParser
import Foundation
import NIOSSL

/// Who somebody is, and whom they trust: options of every command that connects.
struct ClientCredentials: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A token that says who you are; without it, the environment's TIDINGS_TOKEN.",
            discussion: "Other users of this machine may see the arguments of a program, but not its environment."
        )
    )
    var token: String?

    @Option(help: "A file with the certificates (PEM) to trust instead of the system's.")
    var certificateAuthority: String?

    mutating func validate() throws {
        if let path = certificateAuthority, !FileManager.default.isReadableFile(atPath: path) {
            throw ValidationError("\(path) cannot be read.")
        }
    }

    /// The token; nil: there is none.
    var bearer: String? {
        let text = token ?? ProcessInfo.processInfo.environment["TIDINGS_TOKEN"]
        return text.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// How TLS is spoken.
    var tls: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let certificateAuthority { configuration.trustRoots = .file(certificateAuthority) }
        return configuration
    }
}
