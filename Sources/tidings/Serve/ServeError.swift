/// Why a server cannot serve.
struct ServeError: Error, CustomStringConvertible {
    /// What kind of failure it was.
    struct Code: RawRepresentable, Hashable, Sendable {
        let rawValue: String

        /// It cannot listen at its address.
        static let cannotListen = Code(rawValue: "cannot_listen")
        /// Certificate or key cannot be used.
        static let badCertificate = Code(rawValue: "bad_certificate")
        /// The keys that tokens are checked with cannot be used.
        static let badKeys = Code(rawValue: "bad_keys")
    }

    let code: Code
    /// One sentence that says what to do, without secrets.
    let message: String
    let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    var description: String { message }
}
