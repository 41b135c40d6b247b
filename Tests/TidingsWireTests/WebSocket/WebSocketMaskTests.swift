import TestSupport
import Testing

@testable import TidingsWire

@Suite("WebSocketMask")
struct WebSocketMaskTests {
    @Test("A mask laid on in pieces is the mask laid on at once", arguments: 0..<100 as Range<UInt64>)
    func pieces(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let key = generator.bytes(4)
        let bytes = generator.bytes(generator.number(in: 0...100))
        var mask = WebSocketMask(key: key.reduce(0) { $0 << 8 | UInt32($1) })
        var masked: [UInt8] = []
        for piece in generator.cut(bytes, sizes: 1...20) {
            var piece = Array(piece)
            piece.withUnsafeMutableBytes { mask.advance(over: $0[...]) }
            masked += piece
        }
        #expect(masked == bytes.enumerated().map { $1 ^ key[$0 % 4] })
    }

    @Test("The key turns with the bytes that it passed", arguments: 0...9)
    func turning(count: Int) {
        var mask = WebSocketMask(key: 0x0102_0304)
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { mask.advance(over: $0[...]) }
        let keys: [UInt32] = [0x0102_0304, 0x0203_0401, 0x0304_0102, 0x0401_0203]
        #expect(mask.key == keys[count % 4])
    }

    @Test("Twice the same mask is none")
    func twice() {
        var bytes = Array("order:123".utf8)
        for _ in 0..<2 {
            bytes.withUnsafeMutableBytes { WebSocketMask(key: 0xDEAD_BEEF).apply(to: $0[...]) }
        }
        #expect(bytes == Array("order:123".utf8))
    }
}
