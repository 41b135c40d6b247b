import Testing

@testable import TidingsWire

@Suite("RequestIdentifier")
struct RequestIdentifierTests {
    private static func read(_ json: String) -> RequestIdentifier? {
        let object = JSONObject(message: Array("{\"id\":\(json)}".utf8))
        return object.flatMap { object in object["id"].flatMap { RequestIdentifier($0, of: object) } }
    }

    @Test(
        "It is written as it was read",
        arguments: [
            "0", "1", "-7", "-0", "9007199254740991", "9223372036854775807", "9223372036854775808",
            "123456789012345678901234567890", #""""#, #""1""#, #""a-1""#, #""küche""#, #""\"\\\n""#, #""\u0001""#,
            String(repeating: "9", count: 64), "\"\(String(repeating: "a", count: 64))\"",
            "\"\(String(repeating: "é", count: 32))\"",
        ]
    )
    func roundTrip(json: String) throws {
        let identifier = try #require(Self.read(json))
        #expect(String(decoding: identifier.json, as: UTF8.self) == json)
        #expect(Self.read(json) == identifier)
    }

    @Test(
        "What is neither string nor integer, or over-long, is none",
        arguments: [
            "1.0", "1e3", "1E3", "-1.5", "true", "null", "[]", "[1]", "{}", String(repeating: "9", count: 65),
            "-" + String(repeating: "9", count: 64), "\"\(String(repeating: "a", count: 65))\"",
            "\"\(String(repeating: "é", count: 32))a\"",
        ]
    )
    func none(json: String) {
        #expect(Self.read(json) == nil)
    }

    @Test("Strings and integers are two kinds")
    func kinds() {
        let number: RequestIdentifier = 1
        let string: RequestIdentifier = "1"
        #expect(number != string)
        #expect(number.integer == 1 && number.string == nil)
        #expect(string.string == "1" && string.integer == nil)
        #expect(number == RequestIdentifier(1))
        #expect(Set([number, string, RequestIdentifier(1)]).count == 2)
        #expect("\(number)\(string)" == "11")
        #expect(Self.read("9223372036854775808")?.integer == nil)
    }

    @Test("Strings that look alike are two identifiers")
    func lookAlikes() throws {
        let composed = try #require(RequestIdentifier("k\u{FC}" as String))
        let decomposed = try #require(RequestIdentifier("ku\u{308}" as String))
        #expect(composed != decomposed)
        #expect(Self.read(#""k\u00fc""#) == composed)
        #expect(Self.read(#""ku\u0308""#) == decomposed)
    }

    @Test("A string of more than 64 bytes is none")
    func limit() {
        #expect(RequestIdentifier.maximumBytes == 64)
        #expect(RequestIdentifier(String(repeating: "a", count: 64)) != nil)
        #expect(RequestIdentifier(String(repeating: "a", count: 65)) == nil)
        #expect(RequestIdentifier(Int.min).integer == Int.min)
    }
}
