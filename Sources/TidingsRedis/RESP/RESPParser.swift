import NIOCore

/// Reads RESP as it comes, in pieces of any size: RESP2 and RESP3 alike, for a reader need not know which it is.
///
/// A value without I/O. What is begun and not complete is kept as far as it is read, so a piece of one byte costs no more
/// than a large one. After an error nothing more is read.
struct RESPParser {
    private let limits: RESPLimits
    private var input = ByteBuffer()
    /// Up to where the input was looked through for the end of a line.
    private var scanned = 0
    /// The aggregates that are begun, outermost first.
    private var open: [Aggregate] = []
    /// The string that is begun.
    private var string: PendingString?
    private var elements = 0
    private var bytes = 0

    private struct Aggregate {
        enum Kind {
            case array
            case push
            /// What the server says about the next value. It is read over.
            case attribute
        }

        let kind: Kind
        var missing: Int
        var elements: [RESPValue] = []
    }

    private struct PendingString {
        var length: Int
        /// What is still to come, if it is read over.
        var skipping: Int?
        var isError = false
        var isVerbatim = false
    }

    init(limits: RESPLimits = RESPLimits()) {
        self.limits = limits
    }

    /// Bytes that are kept and not yet given out as values.
    var bufferedBytes: Int { input.readableBytes + bytes }

    /// Takes what arrived.
    mutating func append(_ buffer: inout ByteBuffer) {
        if input.readableBytes == 0 {
            input = buffer.slice()
            buffer.moveReaderIndex(forwardBy: buffer.readableBytes)
            scanned = 0
        } else {
            // What was read would stay in front for as long as no read ends with a value.
            if input.readerIndex > 0 {
                scanned = max(0, scanned - input.readerIndex)
                input.discardReadBytes()
            }
            input.writeBuffer(&buffer)
        }
    }

    /// The next value that is complete; nil if more has to come.
    mutating func next() throws(RESPError) -> RESPValue? {
        while let value = try readItem() {
            if let whole = fold(value) {
                (elements, bytes) = (0, 0)
                return whole
            }
        }
        return nil
    }

    // MARK: Values in values

    private enum Item {
        case value(RESPValue)
        /// An aggregate was begun that has no elements.
        case begun
    }

    /// Puts a value into the aggregate that waits for it; gives out what is complete with it.
    private mutating func fold(_ item: Item) -> RESPValue? {
        var value: RESPValue? = if case .value(let value) = item { value } else { nil }
        while true {
            guard let last = open.indices.last else { return value }
            if let value {
                open[last].elements.append(value)
                open[last].missing -= 1
            }
            guard open[last].missing == 0 else { return nil }
            let aggregate = open.removeLast()
            switch aggregate.kind {
            case .array: value = .array(aggregate.elements)
            case .push: value = .push(aggregate.elements)
            // The value that it is about follows in its place.
            case .attribute: return nil
            }
        }
    }

    private mutating func begin(_ kind: Aggregate.Kind, count: Int) throws(RESPError) -> Item {
        guard open.count < limits.depth else { throw RESPError("more than \(limits.depth) levels of values") }
        guard count <= limits.elements - elements else { throw RESPError("more than \(limits.elements) values in one") }
        open.append(Aggregate(kind: kind, missing: count))
        return .begun
    }

    // MARK: One item

    private mutating func readItem() throws(RESPError) -> Item? {
        if string != nil { return try readString() }
        guard var line = try readLine(), let type = line.readInteger(as: UInt8.self) else { return nil }
        elements += 1
        guard elements <= limits.elements else { throw RESPError("more than \(limits.elements) values in one") }
        switch type {
        case UInt8(ascii: "$"): return try beginString(line)
        case UInt8(ascii: "!"): return try beginString(line, isError: true)
        case UInt8(ascii: "="): return try beginString(line, isVerbatim: true)
        case UInt8(ascii: "*"): return try beginArray(line)
        case UInt8(ascii: "~"): return try begin(.array, count: try Self.length(line))
        case UInt8(ascii: ">"): return try begin(.push, count: try Self.length(line))
        case UInt8(ascii: "%"): return try begin(.array, count: 2 * (try Self.length(line)))
        case UInt8(ascii: "|"): return try begin(.attribute, count: 2 * (try Self.length(line)))
        default: return .value(try Self.scalar(type, line))
        }
    }

    private static func scalar(_ type: UInt8, _ line: ByteBuffer) throws(RESPError) -> RESPValue {
        let text = String(buffer: line)
        switch type {
        case UInt8(ascii: "+"), UInt8(ascii: "("): return .text(line)
        case UInt8(ascii: "-"): return .error(RESPErrorReply(text))
        case UInt8(ascii: "_"): return .null
        case UInt8(ascii: ":"):
            guard let number = Int(text) else { throw RESPError("an integer that is none") }
            return .integer(number)
        case UInt8(ascii: ","):
            guard let number = Double(text) else { throw RESPError("a number that is none") }
            return .double(number)
        case UInt8(ascii: "#"):
            guard text == "t" || text == "f" else { throw RESPError("a truth value that is none") }
            return .boolean(text == "t")
        default: throw RESPError("a value of an unknown type")
        }
    }

    private mutating func beginArray(_ line: ByteBuffer) throws(RESPError) -> Item {
        guard !Self.isNull(line) else { return .value(.null) }
        return try begin(.array, count: try Self.length(line))
    }

    // MARK: Lines and lengths

    /// The next line without its end; nil if it is not complete.
    private mutating func readLine() throws(RESPError) -> ByteBuffer? {
        let view = input.readableBytesView
        let from = max(view.startIndex, min(scanned, view.endIndex))
        guard let end = view[from...].firstIndex(of: UInt8(ascii: "\n")) else {
            scanned = view.endIndex
            guard view.count <= limits.lineBytes else {
                throw RESPError("a line of more than \(limits.lineBytes) bytes")
            }
            return nil
        }
        let length = end - view.startIndex
        guard length <= limits.lineBytes else { throw RESPError("a line of more than \(limits.lineBytes) bytes") }
        guard length >= 2, view[end - 1] == UInt8(ascii: "\r"), let line = input.readSlice(length: length - 1) else {
            throw RESPError("a line that does not end as lines do")
        }
        input.moveReaderIndex(forwardBy: 2)
        return line
    }

    private static func isNull(_ line: ByteBuffer) -> Bool { line.readableBytesView.elementsEqual("-1".utf8) }

    private static func length(_ line: ByteBuffer) throws(RESPError) -> Int {
        let digits = line.readableBytesView
        let isNumber = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        // Ten digits are more than any length that is allowed, and twice as much is still a number.
        guard isNumber, (1...10).contains(digits.count), let length = Int(String(buffer: line)) else {
            throw RESPError("a length that is none")
        }
        return length
    }

    // MARK: Strings

    private mutating func beginString(
        _ line: ByteBuffer,
        isError: Bool = false,
        isVerbatim: Bool = false
    ) throws(RESPError) -> Item? {
        guard !Self.isNull(line) else { return .value(.null) }
        let length = try Self.length(line)
        guard length <= limits.stringBytes else { throw RESPError("a string of more than \(limits.stringBytes) bytes") }
        let isKept = length <= limits.keptBytes
        if isKept { bytes += length }
        guard bytes <= limits.valueBytes else { throw RESPError("a value of more than \(limits.valueBytes) bytes") }
        string = PendingString(
            length: length,
            skipping: isKept ? nil : length + 2,
            isError: isError,
            isVerbatim: isVerbatim
        )
        return try readString()
    }

    private mutating func readString() throws(RESPError) -> Item? {
        guard var pending = string else { return nil }
        if let missing = pending.skipping {
            let count = min(missing, input.readableBytes)
            input.moveReaderIndex(forwardBy: count)
            pending.skipping = missing - count
            string = count == missing ? nil : pending
            return count == missing ? .value(.skipped(bytes: pending.length)) : nil
        }
        guard input.readableBytes >= pending.length + 2, let text = input.readSlice(length: pending.length) else {
            return nil
        }
        guard input.readInteger(as: UInt16.self) == 0x0D0A else {
            throw RESPError("a string that does not end where it says")
        }
        string = nil
        return .value(Self.value(of: text, pending))
    }

    private static func value(of text: ByteBuffer, _ string: PendingString) -> RESPValue {
        if string.isError { return .error(RESPErrorReply(String(buffer: text))) }
        var text = text
        // A verbatim string begins with three letters and a colon that say how it is to be shown.
        if string.isVerbatim, text.readableBytes >= 4 { text.moveReaderIndex(forwardBy: 4) }
        return .text(text)
    }
}
