import Testing

@testable import TidingsWire

@Suite("JSONScanner: parts of a text")
struct JSONScannerPartsTests {
    private struct Part: Equatable, CustomTestStringConvertible {
        let name: String
        let kind: JSONScanner.Kind
        let text: String

        var testDescription: String { "\(name): \(text)" }
    }

    private static func parts(of text: String) throws -> [Part]? {
        let bytes = Array(text.utf8)
        return try JSONScanner.members(of: bytes)?.map { member in
            Part(name: member.name, kind: member.kind, text: String(decoding: bytes[member.value], as: UTF8.self))
        }
    }

    @Test("Members: names without escapes, values without the white space around them")
    func members() throws {
        let text = #" { "a" : [ 1 ] , "\u006b\u00fcche" :"x",  "":null,"d":-1.5e3 ,"e": {"a":{}} , "f":true} "#
        let parts = try Self.parts(of: text)
        #expect(
            parts == [
                Part(name: "a", kind: .array, text: "[ 1 ]"),
                Part(name: "küche", kind: .string, text: "\"x\""),
                Part(name: "", kind: .null, text: "null"),
                Part(name: "d", kind: .number, text: "-1.5e3"),
                Part(name: "e", kind: .object, text: "{\"a\":{}}"),
                Part(name: "f", kind: .boolean, text: "true"),
            ]
        )
    }

    @Test("Of members with one name the last counts, where it stands")
    func duplicates() throws {
        let parts = try Self.parts(of: #"{"a":1,"b":2,"\u0061":3,"c":4}"#)
        #expect(
            parts == [
                Part(name: "b", kind: .number, text: "2"),
                Part(name: "a", kind: .number, text: "3"),
                Part(name: "c", kind: .number, text: "4"),
            ]
        )
    }

    @Test("Names that only look alike are two names")
    func lookAlikes() throws {
        let parts = try Self.parts(of: #"{"k\u00fcche":1,"ku\u0308che":2}"#)
        #expect(parts?.map(\.text) == ["1", "2"])
    }

    @Test(
        "The members of one name",
        arguments: [("a", ["3"]), ("b", ["2"]), ("x", []), ("", []), ("k\u{FC}", ["4"]), ("ku\u{308}", ["5"])]
    )
    func named(name: String, values: [String]) throws {
        let text = Array(#"{"a":1,"b":2,"\u0061":3,"kü":4,"ku\u0308":5,"c":{"x":6}}"#.utf8)
        let members = try #require(try JSONScanner.members(of: text, named: name))
        #expect(members.map { String(decoding: text[$0.value], as: UTF8.self) } == values)
    }

    @Test("No members, and no object")
    func noMembers() throws {
        #expect(try Self.parts(of: " { } ") == [])
        for text in ["[]", "[{\"a\":1}]", "\"{}\"", "1", "true", "null"] {
            #expect(try Self.parts(of: text) == nil)
        }
    }

    @Test("Where members stand, with their names")
    func written() throws {
        let text = Array(#" { "a" : 1 ,"\u0062": [ 2 ], "c":{} } "#.utf8)
        let members = try #require(try JSONScanner.members(of: text))
        let wholes = members.map { String(decoding: text[$0.whole], as: UTF8.self) }
        #expect(wholes == [#""a" : 1"#, #""\u0062": [ 2 ]"#, #""c":{}"#])
        #expect(try JSONScanner.members(of: text, named: "b")?.map(\.whole) == [members[1].whole])
    }

    @Test("An object has as many members as fit, and doubles cost no more than others")
    func manyMembers() throws {
        let count = 50_000
        let distinct = (0..<count).map { "\"\($0)\":0" }
        #expect(try Self.parts(of: "{" + distinct.joined(separator: ",") + "}")?.count == count)
        let doubled = distinct + distinct + Array(repeating: "\"7\":1", count: count)
        let parts = try #require(try Self.parts(of: "{" + doubled.joined(separator: ",") + "}"))
        #expect(parts.count == count)
        #expect(parts.last == Part(name: "7", kind: .number, text: "1"))
    }

    @Test(
        "Arrays of strings",
        arguments: [
            ("[]", []), (" [ ] ", []), (#"["order"]"#, ["order"]), (#"[ "order" , "contact" ]"#, ["order", "contact"]),
            (#"["","a","a"]"#, ["", "a", "a"]), (#"["\ud83c\udf54","k\u00fcche","a\nb"]"#, ["🍔", "küche", "a\nb"]),
            (#"["[",",","]"]"#, ["[", ",", "]"]), ("[1]", nil), (#"["a",null]"#, nil), (#"[null,"a"]"#, nil),
            (#"[["a"]]"#, nil), (#"["a",{"b":"c"}]"#, nil), (#"{"a":"b"}"#, nil), (#""a""#, nil), ("null", nil),
        ] as [(String, [String]?)]
    )
    func strings(text: String, strings: [String]?) throws {
        #expect(try JSONScanner.strings(of: Array(text.utf8)) == strings)
    }

    @Test(
        "Strings",
        arguments: [
            (#""""#, ""), (#"  "a"  "#, "a"), (#""a b""#, "a b"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0000""#, "\u{0}"), (#""\u0041\u00E9\u6f22""#, "Aé漢"), (#""\ud83c\udf54""#, "🍔"),
            (#""\uD800\uDC00\uDBFF\uDFFF""#, "\u{10000}\u{10FFFF}"), (#""\uffff""#, "\u{FFFF}"),
            (#""x\ud83c\udf54y\u0041""#, "x🍔yA"), (#""\\u0041""#, "\\u0041"), ("\"é漢🍔\"", "é漢🍔"),
            ("\"é\\n漢\"", "é\n漢"), (#""e\u0301""#, "e\u{301}"), ("1", nil), ("[\"a\"]", nil), ("{\"a\":\"b\"}", nil),
            ("null", nil),
        ] as [(String, String?)]
    )
    func string(text: String, string: String?) throws {
        let found = try JSONScanner.string(of: Array(text.utf8))
        #expect(found.map { Array($0.utf8) } == string.map { Array($0.utf8) })
    }

    @Test("Every escape of one code unit")
    func everyEscape() throws {
        for unit in 0...0xFFFF as ClosedRange<UInt32> {
            let digits = String(unit, radix: 16)
            let text = "\"\\u" + String(repeating: "0", count: 4 - digits.count) + digits + "\""
            let found = try? JSONScanner.string(of: Array(text.utf8))
            guard found == Unicode.Scalar(unit).map(String.init) else {
                Issue.record("\(text) is read as \(found ?? "nothing")")
                return
            }
        }
    }
}
