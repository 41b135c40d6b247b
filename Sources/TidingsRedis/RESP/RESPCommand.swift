import NIOCore

/// A command as it goes to the server: an array of strings, in either version of RESP.
struct RESPCommand: Sendable {
    private(set) var buffer: ByteBuffer

    /// Writes a command.
    ///
    /// - Parameter parts: Its name and its arguments.
    init(_ parts: [String]) {
        self.init(count: parts.count, capacity: parts.reduce(0) { $0 + $1.utf8.count + 16 })
        for part in parts { append(part.utf8) }
    }

    init(_ parts: String...) {
        self.init(parts)
    }

    /// Begins a command. As many parts as it says have to be appended.
    init(count: Int, capacity: Int = 256) {
        buffer = ByteBuffer()
        buffer.reserveCapacity(capacity)
        buffer.writeString("*\(count)\r\n")
    }

    mutating func append(_ part: some Collection<UInt8>) {
        buffer.writeString("$\(part.count)\r\n")
        buffer.writeBytes(part)
        buffer.writeString("\r\n")
    }
}
