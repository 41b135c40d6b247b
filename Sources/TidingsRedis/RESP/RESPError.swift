/// Why bytes are not RESP, or are more of it than may come. A connection cannot go on after it.
struct RESPError: Error, Hashable, Sendable {
    /// What is wrong. Nothing of the content.
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

extension RESPError: CustomStringConvertible {
    var description: String { message }
}
