import NIOCore
import TestSupport
import Testing

@testable import TidingsRedis

@Suite("RESP is read as it comes")
struct RESPParserTests {
    static let vectors: [(String, RESPValue)] = [
        ("+OK\r\n", .text(ByteBuffer(string: "OK"))),
        ("+\r\n", .text(ByteBuffer())),
        ("-ERR unknown\r\n", .error(RESPErrorReply("ERR unknown"))),
        ("-LOADING\r\n", .error(RESPErrorReply("LOADING"))),
        (":1000\r\n", .integer(1000)),
        (":-7\r\n", .integer(-7)),
        (":+7\r\n", .integer(7)),
        ("$5\r\nhe\r\nl\r\n", .text(ByteBuffer(string: "he\r\nl"))),
        ("$0\r\n\r\n", .text(ByteBuffer())),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("*0\r\n", .array([])),
        ("*2\r\n$1\r\na\r\n:1\r\n", .array([.text(ByteBuffer(string: "a")), .integer(1)])),
        ("*2\r\n*1\r\n*0\r\n*0\r\n", .array([.array([.array([])]), .array([])])),
        ("_\r\n", .null),
        ("#t\r\n", .boolean(true)),
        ("#f\r\n", .boolean(false)),
        (",1.5\r\n", .double(1.5)),
        (",-inf\r\n", .double(-.infinity)),
        (
            "(3492890328409238509324850943850943825024385\r\n",
            .text(ByteBuffer(string: "3492890328409238509324850943850943825024385"))
        ),
        ("!9\r\nERR a\r\nbc\r\n", .error(RESPErrorReply("ERR a\r\nbc"))),
        ("=6\r\ntxt:hi\r\n", .text(ByteBuffer(string: "hi"))),
        ("%1\r\n+a\r\n:1\r\n", .array([.text(ByteBuffer(string: "a")), .integer(1)])),
        ("%0\r\n", .array([])),
        ("~1\r\n#t\r\n", .array([.boolean(true)])),
        (">2\r\n+message\r\n+x\r\n", .push([.text(ByteBuffer(string: "message")), .text(ByteBuffer(string: "x"))])),
        ("|1\r\n+ttl\r\n:3\r\n:9\r\n", .integer(9)),
        ("*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:2\r\n:3\r\n", .array([.integer(2), .integer(3)])),
    ]

    @Test("each type is read, and descriptions of errors have only their first word", arguments: vectors)
    func types(_ text: String, _ value: RESPValue) throws {
        #expect(try Self.read(text) == [value])
        if case .error(let refusal) = value { #expect(["ERR", "LOADING"].contains("\(refusal)")) }
    }

    @Test("values cut anywhere are the same values", arguments: 0..<200 as Range<UInt64>)
    func cutting(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let chosen = (0..<20).map { _ in Self.vectors[generator.number(in: 0...Self.vectors.count - 1)] }
        let bytes = chosen.flatMap { Array($0.0.utf8) }
        var parser = RESPParser()
        var values: [RESPValue] = []
        for piece in generator.cut(bytes, sizes: 1...(generator.once(in: 3) ? 1 : 40)) {
            var buffer = ByteBuffer(bytes: piece)
            parser.append(&buffer)
            while let value = try parser.next() { values.append(value) }
        }
        #expect(values == chosen.map(\.1), "seed \(seed)")
        #expect(parser.bufferedBytes == 0)
    }

    @Test("a value is given out with its last byte and not before", arguments: vectors)
    func prefixes(_ text: String, _ value: RESPValue) throws {
        for count in 0..<text.utf8.count {
            #expect(try Self.read(String(decoding: text.utf8.prefix(count), as: UTF8.self)) == [])
        }
    }

    @Test("garbage is an error or nothing, never a crash and never more memory", arguments: 0..<400 as Range<UInt64>)
    func garbage(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var bytes = generator.bytes(400)
        if generator.once(in: 2) {
            // Bytes that mean something reach deeper.
            let alphabet = Array("+-:$*_#,(!=%~>|\r\n\r\n\r\n0123456789-1tf".utf8)
            bytes = (0..<400).map { _ in alphabet[generator.number(in: 0...alphabet.count - 1)] }
        } else if generator.once(in: 2) {
            bytes = Self.vectors.flatMap { Array($0.0.utf8) }
            for _ in 0..<5 { bytes[generator.number(in: 0...bytes.count - 1)] = UInt8(generator.number(in: 0...255)) }
        }
        var parser = RESPParser(limits: Self.small)
        do {
            for piece in generator.cut(bytes, sizes: 1...30) {
                var buffer = ByteBuffer(bytes: piece)
                parser.append(&buffer)
                while try parser.next() != nil {}
                #expect(parser.bufferedBytes <= Self.small.valueBytes + Self.small.lineBytes + 64, "seed \(seed)")
            }
        } catch {
            #expect(!error.message.isEmpty)
        }
    }

    static let small = {
        var limits = RESPLimits()
        (limits.keptBytes, limits.stringBytes, limits.valueBytes) = (10, 100, 25)
        (limits.lineBytes, limits.elements, limits.depth) = (30, 8, 3)
        return limits
    }()

    @Test(
        "what is not RESP ends the reading",
        arguments: [
            "hello\r\n", "+a\n", "\r\n", ":1x\r\n", ":\r\n", "$x\r\n", "$-2\r\n", "$+1\r\n", "*1.0\r\n", "$3\r\nabcde",
            "#y\r\n", ",one\r\n", ">-1\r\n", "%x\r\n", "$99999999999\r\n", "$?\r\n",
        ]
    )
    func malformed(_ text: String) {
        #expect(throws: RESPError.self) { try Self.read(text) }
    }

    @Test(
        "what is more than may come ends the reading",
        arguments: [
            "$101\r\n", "*9\r\n", "*2\r\n*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n*3\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n",
            "+0123456789012345678901234567890\r\n", "+01234567890123456789012345678901234", "%5\r\n",
            "*3\r\n$10\r\n0123456789\r\n$10\r\n0123456789\r\n$10\r\n",
        ]
    )
    func limits(_ text: String) {
        #expect(throws: RESPError.self) { try Self.read(text, limits: Self.small) }
    }

    @Test("a string that is too long is read over, in pieces of any size", arguments: [1, 7, 1000])
    func readingOver(_ size: Int) throws {
        let text = "*2\r\n$50\r\n\(String(repeating: "x", count: 50))\r\n:5\r\n+next\r\n"
        var generator = SeededGenerator(seed: 1)
        var parser = RESPParser(limits: Self.small)
        var values: [RESPValue] = []
        for piece in generator.cut(Array(text.utf8), sizes: size...size) {
            var buffer = ByteBuffer(bytes: piece)
            parser.append(&buffer)
            while let value = try parser.next() { values.append(value) }
        }
        #expect(values == [.array([.skipped(bytes: 50), .integer(5)]), .text(ByteBuffer(string: "next"))])
    }

    @Test("a command is an array of strings")
    func command() throws {
        var command = RESPCommand(count: 3)
        for part in ["SET", "a b", ""] { command.append(part.utf8) }
        #expect(String(buffer: command.buffer) == "*3\r\n$3\r\nSET\r\n$3\r\na b\r\n$0\r\n\r\n")
        #expect(RESPCommand("SET", "a b", "").buffer == command.buffer)
    }

    private static func read(_ text: String, limits: RESPLimits = .init()) throws -> [RESPValue] {
        var parser = RESPParser(limits: limits)
        var buffer = ByteBuffer(string: text)
        parser.append(&buffer)
        var values: [RESPValue] = []
        while let value = try parser.next() { values.append(value) }
        return values
    }
}
