import TestSupport
import Testing

@testable import TidingsWire

@Suite("JSONWriter")
struct JSONWriterTests {
    private static func written(_ string: String) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONWriter.append(string, to: &bytes)
        return bytes
    }

    @Test(
        "Only what must be escaped is",
        arguments: [
            ("", #""""#), ("order", #""order""#), ("\"", #""\"""#), ("\\", #""\\""#), ("/", #""/""#), ("'", #""'""#),
            ("\n\r\t", #""\n\r\t""#), ("\u{0}", #""\u0000""#), ("\u{8}\u{C}", #""\u0008\u000c""#),
            ("\u{1B}\u{1F}", #""\u001b\u001f""#), ("\u{7F}", "\"\u{7F}\""), ("é漢🍔", "\"é漢🍔\""),
            ("\u{2028}\u{2029}", "\"\u{2028}\u{2029}\""), ("<script>", "\"<script>\""), ("\r\n", #""\r\n""#),
        ]
    )
    func strings(string: String, json: String) {
        #expect(Self.written(string) == Array(json.utf8))
    }

    @Test(
        "Foundation reads every ASCII character back, and so does the scanner",
        arguments: 0...127 as ClosedRange<UInt8>
    )
    func ascii(byte: UInt8) throws {
        let string = "a" + String(Unicode.Scalar(byte)) + "b"
        let json = Self.written(string)
        #expect(try JSONTree(json) == .string(string))
        #expect(try JSONScanner.string(of: json) == string)
    }

    @Test("Foundation reads random texts back, and so does the scanner", arguments: 0..<100 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<10 {
            let string = generator.text(generator.number(in: 0...40))
            let json = Self.written(string)
            #expect(try JSONTree(json) == .string(string))
            #expect(try JSONScanner.string(of: json) == string)
        }
    }

    @Test(
        "Arrays of strings",
        arguments: [
            ([], "[]"), ([""], #"[""]"#), (["order"], #"["order"]"#), (["order", "a\"b"], #"["order","a\"b"]"#),
        ] as [([String], String)]
    )
    func arrays(strings: [String], json: String) {
        var bytes: [UInt8] = []
        JSONWriter.append(strings, to: &bytes)
        #expect(bytes == Array(json.utf8))
    }
}
