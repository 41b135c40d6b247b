import TestSupport
import Testing

@testable import TidingsWire

@Suite("JSONScanner: what is JSON")
struct JSONScannerTests {
    @Test(
        "Valid texts",
        arguments: [
            ("null", .null), ("true", .boolean), ("false", .boolean), ("{}", .object), ("[]", .array),
            ("\"\"", .string), (" \t\r\n null \n\r\t ", .null), ("{ }", .object), ("[ ]", .array),
            // Numbers (§6)
            ("0", .number), ("-0", .number), ("7", .number), ("-7", .number), ("1234567890", .number),
            ("0.0", .number), ("0.5", .number), ("-0.5", .number), ("10.01", .number), ("1e5", .number),
            ("1E5", .number), ("1e+5", .number), ("1E-5", .number), ("1e05", .number), ("0e0", .number),
            ("1.5e3", .number), ("-1.5E-03", .number), ("1e400", .number), ("1e-400", .number),
            ("123456789012345678901234567890", .number), ("0.12345678901234567890123456789", .number),
            // Strings (§7)
            (#""a""#, .string), (#"" ""#, .string), (#""\"\\\/\b\f\n\r\t""#, .string),
            (#""\u0041\u00e9\u6F22""#, .string),
            (#""\u0000""#, .string), (#""\uFFFF""#, .string), (#""\uD83C\uDF54""#, .string),
            (#""\ud800\udc00\udbff\udfff""#, .string), (#""\ud7ff\ue000""#, .string), (#""\\u""#, .string),
            ("\"é漢🍔\"", .string), ("\"\u{7F}\"", .string), ("\"\u{2028}\u{2029}\"", .string), ("\"\u{FEFF}\"", .string),
            ("\"/* no comment */\"", .string), ("\"{[,:]}\"", .string),
            // Arrays and objects (§4, §5)
            ("[1]", .array), ("[1,2]", .array), ("[ 1 , 2 ]", .array), ("[[],[[]],{}]", .array),
            (#"[null,true,false,0,"",[],{}]"#, .array), (#"{"a":1}"#, .object), (#"{"":0}"#, .object),
            (#"{ "a" : 1 , "b" : [ ] }"#, .object), (#"{"a":{"a":{"a":{}}}}"#, .object), (#"{"a":1,"a":2}"#, .object),
            (#"{"\u0061":1}"#, .object), (#"{"a":null,"b":true,"c":"}","d":[{}]}"#, .object),
        ] as [(String, JSONScanner.Kind)]
    )
    func valid(text: String, kind: JSONScanner.Kind) throws {
        #expect(try JSONScanner.check(Array(text.utf8)) == kind)
    }

    @Test(
        "Invalid texts, and the byte at which that shows",
        arguments: [
            ("", 0), (" ", 1), ("nul", 3), ("nulL", 3), ("nullx", 4), ("True", 0), ("tru", 3), ("fals e", 4),
            ("undefined", 0), ("'a'", 0), ("a", 0), ("\u{FEFF}1", 0), ("\u{A0}1", 0), ("\u{B}1", 0), ("\u{C}1", 0),
            ("/**/1", 0), ("1//", 1), ("1 2", 2), ("{}{}", 2), ("[]]", 2), ("{}}", 2), ("\"a\"b", 3), ("1,", 1),
            ("null\u{0}", 4),
            // Numbers
            ("-", 1), ("+1", 0), ("01", 1), ("-01", 2), ("00", 1), (".5", 0), ("1.", 2), ("1.e5", 2), ("-.5", 1),
            ("1e", 2), ("1e+", 3), ("1e-", 3), ("1E5.0", 3), ("1.2.3", 3), ("0x10", 1), ("1_000", 1), ("--1", 1),
            ("1e5e5", 3), ("Infinity", 0), ("-Infinity", 1), ("NaN", 0), ("1a", 1), ("١", 0), ("1\u{301}", 1),
            // Strings
            ("\"", 1), ("\"a", 2), ("\"\\", 2), ("\"\\\"", 3), (#""\a""#, 3), (#""\x41""#, 3), (#""\'""#, 3),
            (#""\U0041""#, 3), (#""\0""#, 3), (#""\u""#, 3), (#""\u12""#, 5), (#""\u123g""#, 6), (#""\u 123""#, 3),
            (#""\u+123""#, 3), ("\"\\u00", 5), ("\"\n\"", 1), ("\"\t\"", 1), ("\"a\u{0}\"", 2), ("\"\u{1F}\"", 1),
            ("\"\\\n\"", 3), (#""\ud83c""#, 7), (#""\ud83cx""#, 7), (#""\ud83c\n""#, 8), (#""\ud83c\""#, 8),
            (#""\ud83c\ud83c""#, 13), (#""\udf54""#, 7), (#""\udf54\ud83c""#, 7), (#""\ud83c\u0041""#, 13),
            (#""\ud83c\ue000""#, 13), (#""\ud83c\u12""#, 11),
            // Arrays
            ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[,]", 1), ("[1 2]", 3), ("[1,,2]", 3),
            ("[1}", 2), ("[1:2]", 2), ("]", 0), ("[\"a]", 4), ("[[]", 3), ("[nul]", 4), ("[01]", 2),
            // Objects
            ("{", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,", 7), ("{\"a\":1,}", 7), ("{,}", 1),
            ("{\"a\"}", 4), ("{\"a\" 1}", 5), ("{\"a\"::1}", 5), ("{\"a\",1}", 4), ("{a:1}", 1), ("{'a':1}", 1),
            ("{1:1}", 1), ("{null:1}", 1), ("{\"a\":1 \"b\":2}", 7), ("{\"a\":1;\"b\":2}", 6), ("{\"a\":}", 5),
            ("{\"a\":1]", 6), ("{\"a\":1,\"b\"}", 10), ("}", 0), ("{[]:1}", 1), ("{\"\\q\":1}", 4),
        ]
    )
    func invalid(text: String, offset: Int) {
        let fault = #expect(throws: JSONScanner.Fault.self) { try JSONScanner.check(Array(text.utf8)) }
        #expect(fault?.offset == offset)
        #expect(fault?.message.isEmpty == false)
    }

    @Test(
        "What is no JSON has no parts either",
        arguments: ["", "[1,]", #"{"a":01}"#, #"["a",]"#, #"{"a":1}}"#, "\"a"]
    )
    func invalidParts(text: String) {
        #expect(throws: JSONScanner.Fault.self) { try JSONScanner.members(of: Array(text.utf8)) }
        #expect(throws: JSONScanner.Fault.self) { try JSONScanner.strings(of: Array(text.utf8)) }
        #expect(throws: JSONScanner.Fault.self) { try JSONScanner.string(of: Array(text.utf8)) }
    }

    @Test(
        "A fault says nothing of the text",
        arguments: ["secret", "{\"a\":secret}", "[\"secret]", "\"secret\" secret"]
    )
    func faultsKeepSecrets(text: String) {
        let fault = #expect(throws: JSONScanner.Fault.self) { try JSONScanner.check(Array(text.utf8)) }
        #expect(fault?.message.contains("secret") == false)
    }

    @Test("Any bytes are read without harm", arguments: 0..<20 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var random = RandomJSON(seed: seed)
        for _ in 0..<500 {
            var bytes = random.generator.bytes(random.generator.number(in: 0...30))
            if random.generator.once(in: 2) { bytes = random.mutated(random.text()) + bytes }
            _ = try? JSONScanner.check(bytes)
            _ = try? JSONScanner.members(of: bytes)
            _ = try? JSONScanner.strings(of: bytes)
            _ = try? JSONScanner.string(of: bytes)
        }
    }
}
