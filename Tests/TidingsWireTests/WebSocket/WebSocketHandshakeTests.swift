import TestSupport
import Testing
import TidingsWire

@Suite("WebSocketHandshake")
struct WebSocketHandshakeTests {
    @Test(
        "The accept value proves that the key was read",
        arguments: [
            // RFC 6455 §1.3
            ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
            ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
        ]
    )
    func accept(key: String, accept: String) {
        #expect(WebSocketHandshake.accept(key) == accept)
    }

    @Test("The version is 13")
    func version() {
        #expect(WebSocketHandshake.version == "13")
    }

    @Test("A new key is a key, and not the one before", arguments: 0..<20 as Range<UInt64>)
    func newKeys(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let first = WebSocketHandshake.makeKey(using: &generator)
        let second = WebSocketHandshake.makeKey(using: &generator)
        #expect(WebSocketHandshake.isKey(first))
        #expect(WebSocketHandshake.isKey(second))
        #expect(first != second)
    }

    @Test(
        "Keys",
        arguments: [
            ("dGhlIHNhbXBsZSBub25jZQ==", true),
            ("AAAAAAAAAAAAAAAAAAAAAA==", true),
            ("////////////////+/+/+w==", true),
            ("", false),
            ("dGhlIHNhbXBsZSBub25jZQ", false),
            ("dGhlIHNhbXBsZSBub25jZQ=", false),
            ("dGhlIHNhbXBsZSBub25jZQ== ", false),
            ("dGhlIHNhbXBsZSBub25jZWU=", false),
            ("dGhlIHNhbXBsZSBub25jZWVl", false),
            ("dGhlIHNhbXBsZSBub25jZ===", false),
            ("dGhlIHNhbXBsZSBub25j ZQ==", false),
            ("dGhlIHNhbXBsZSBub25j-_==", false),
            ("the sample nonce", false),
            ("éééééééééééé", false),
        ]
    )
    func keys(key: String, isKey: Bool) {
        #expect(WebSocketHandshake.isKey(key) == isKey)
    }

    @Test(
        "Tokens in a header's list",
        arguments: [
            ("upgrade", true),
            ("Upgrade", true),
            ("UPGRADE", true),
            ("keep-alive, Upgrade", true),
            ("Upgrade,keep-alive", true),
            ("keep-alive,\tupgrade ,close", true),
            (",,upgrade,", true),
            ("", false),
            (" , ", false),
            ("upgraded", false),
            ("no-upgrade", false),
            ("\"upgrade\"", false),
            ("keep-alive", false),
        ]
    )
    func lists(list: String, hasUpgrade: Bool) {
        #expect(WebSocketHandshake.list(list, has: "upgrade") == hasUpgrade)
    }
}
