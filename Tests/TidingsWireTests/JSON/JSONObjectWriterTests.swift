import Testing

@testable import TidingsWire

@Suite("JSONObjectWriter")
struct JSONObjectWriterTests {
    private static func text(_ body: (inout JSONObjectWriter) -> Void) -> String {
        String(decoding: JSONObjectWriter.write(body), as: UTF8.self)
    }

    @Test("No members")
    func empty() {
        #expect(Self.text { _ in } == "{}")
        #expect(Self.text { $0.object("a") { _ in } } == #"{"a":{}}"#)
    }

    @Test("Members of each kind, in their order")
    func kinds() {
        let text = Self.text { writer in
            writer.member("b", "x\"y")
            writer.member("a", -7)
            writer.member("c", true)
            writer.member("d", false)
            writer.member("e", ["x", "\n"])
            writer.member("f", [] as [String])
            writer.member("g", json: Array("[1, 2]".utf8))
            writer.member(json: Array(#""h" : null"#.utf8))
            writer.member("quote\"", 1)
        }
        let expected =
            #"{"b":"x\"y","a":-7,"c":true,"d":false,"e":["x","\n"],"f":[],"g":[1, 2],"h" : null,"quote\"":1}"#
        #expect(text == expected)
    }

    @Test("Objects inside, with members before and behind")
    func nested() {
        let text = Self.text { writer in
            writer.member("a", 1)
            writer.object("b") {
                $0.object("c") { $0.member("d", 2) }
                $0.member("e", 3)
            }
            writer.member("f", 4)
        }
        #expect(text == #"{"a":1,"b":{"c":{"d":2},"e":3},"f":4}"#)
    }
}
