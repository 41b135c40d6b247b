import Foundation
import TestSupport
import Testing

@Suite("Vectors")
struct VectorsTests {
    @Test(
        "Every file is there and has cases",
        arguments: [
            "channel-names", "close-codes", "extended-client-messages", "extended-server-messages",
            "event-stream", "feed-client-messages", "feed-server-messages",
            "permessage-deflate", "permessage-deflate-negotiation", "plain-client-messages", "plain-server-messages",
            "positions", "topic-client-messages", "topic-server-messages", "websocket-frames",
        ]
    )
    func files(name: String) throws {
        #expect(try Vectors.cases(name, of: JSONTree.self).isEmpty == false)
    }

    @Test("A file that is not there is named")
    func missing() {
        let error = #expect(throws: VectorError.self) { try Vectors.cases("no-such-file", of: JSONTree.self) }
        #expect(error?.description.hasPrefix("Tests/Vectors/no-such-file.json: cannot be read") == true)
    }

    @Test("A case of another shape is named, with its place in the file")
    func otherShape() {
        struct NoCode: Decodable {
            let code: String
        }
        struct NoSuchKey: Decodable {
            let nothing: Int
        }
        let type = #expect(throws: VectorError.self) { try Vectors.cases("close-codes", of: NoCode.self) }
        #expect(type?.description.hasPrefix("Tests/Vectors/close-codes.json: cases[0].code: ") == true)
        let key = #expect(throws: VectorError.self) { try Vectors.cases("close-codes", of: NoSuchKey.self) }
        #expect(key?.description == "Tests/Vectors/close-codes.json: cases[0]: there is no \"nothing\"")
    }

    @Test(
        "Generated texts",
        arguments: [
            (#""order""#, "order"), (#"{"repeat":"ab","count":3}"#, "ababab"), (#"{"repeat":"a","count":0}"#, ""),
            (#"["a",{"repeat":"b","count":2},["c",[]]]"#, "abbc"), ("[]", ""),
        ]
    )
    func generated(json: String, text: String) throws {
        #expect(try JSONDecoder().decode(GeneratedText.self, from: Data(json.utf8)).text == text)
    }

    @Test("Bytes in hexadecimal")
    func hex() throws {
        #expect(try [UInt8](hex: "81 05 48656C6c6f") == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        #expect(try [UInt8](hex: "") == [])
        for text in ["8", "8g", "0x81", "81\n", "é"] {
            #expect(throws: HexError.self) { try [UInt8](hex: text) }
        }
    }

    @Test("A seed repeats its sequence")
    func seeds() {
        var first = SeededGenerator(seed: 7)
        var second = SeededGenerator(seed: 7)
        var other = SeededGenerator(seed: 8)
        #expect(first.bytes(100) == second.bytes(100))
        #expect(first.text(100) == second.text(100))
        #expect(first.next() != other.next())
    }
}
