import Testing

@testable import TidingsWire

@Suite("JSONObject")
struct JSONObjectTests {
    private static func object(_ text: String) throws -> JSONObject? {
        try JSONObject(Array(text.utf8))
    }

    @Test("Values by name")
    func values() throws {
        let text = #"{"s":"k\u00fcche","i":-7,"d":1.5,"a":["x","y"],"m":["x",1],"o":{"s":"inner"},"n":null,"b":true}"#
        let object = try #require(try Self.object(text))
        #expect(object.string("s") == "küche")
        #expect(object.integer("i") == -7)
        #expect(object.integer("d") == nil)
        #expect(object["d"].flatMap(object.numeral(of:)) == "1.5")
        #expect(object.strings("a") == ["x", "y"])
        #expect(object.strings("m") == nil)
        #expect(object.object("o")?.string("s") == "inner")
        #expect(object["n"]?.kind == .null)
        #expect(object["b"].map(object.json(of:)) == Array("true".utf8))
    }

    @Test("A value of another kind and a missing name are nothing", arguments: ["s", "i", "a", "o", "n", "x"])
    func otherKinds(name: String) throws {
        let object = try #require(try Self.object(#"{"s":"1","i":1,"a":[],"o":{},"n":null}"#))
        #expect((object.string(name) == nil) == (name != "s"))
        #expect((object.integer(name) == nil) == (name != "i"))
        #expect((object.strings(name) == nil) == (name != "a"))
        #expect((object.object(name) == nil) == (name != "o"))
    }

    @Test("Integers of 64 bits and no more")
    func integers() throws {
        let object = try #require(try Self.object(#"{"a":9223372036854775807,"b":9223372036854775808,"c":-0,"d":1e3}"#))
        #expect(object.integer("a") == Int.max)
        #expect(object.integer("b") == nil)
        #expect(object.integer("c") == 0)
        #expect(object.integer("d") == nil)
    }

    @Test("Of doubles the last, and names that look alike are two")
    func names() throws {
        let object = try #require(try Self.object(#"{"a":1,"\u0061":2,"k\u00fc":3,"ku\u0308":4}"#))
        #expect(object.integer("a") == 2)
        #expect(object.integer("k\u{FC}") == 3)
        #expect(object.integer("ku\u{308}") == 4)
    }

    @Test("Another value is no object, and other text no JSON")
    func none() throws {
        #expect(try Self.object("[1]") == nil)
        #expect(throws: JSONScanner.Fault.self) { try Self.object("{") }
        #expect(JSONObject(message: Array("[1]".utf8)) == nil)
        #expect(JSONObject(message: Array("{".utf8)) == nil)
    }

    @Test("A message has a limit of members, an object has none")
    func limit() throws {
        func text(_ count: Int) -> [UInt8] {
            Array(("{" + (0..<count).map { "\"\($0)\":0" }.joined(separator: ",") + "}").utf8)
        }
        #expect(JSONObject(message: text(WireLimits.messageMembers))?.members.count == WireLimits.messageMembers)
        #expect(JSONObject(message: text(WireLimits.messageMembers + 1)) == nil)
        #expect(try JSONObject(text(3000))?.members.count == 3000)
    }
}
