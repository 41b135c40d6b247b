/// What one value may cost. A server that is not what it should be can make nothing grow beyond it.
struct RESPLimits: Hashable, Sendable {
    /// Bytes of a string that are kept. Of a longer one nothing is: it is read over.
    var keptBytes = 1024 * 1024
    /// Bytes of a string that is read over at the most: those that Redis allows.
    var stringBytes = 512 * 1024 * 1024
    /// Bytes of all strings in one value together that are kept.
    var valueBytes = 64 * 1024 * 1024
    /// Bytes of a line: a number, a length, a simple string or an error.
    var lineBytes = 64 * 1024
    /// Values in one value, all levels together.
    var elements = 1_000_000
    /// Levels of values inside each other.
    var depth = 16
}
