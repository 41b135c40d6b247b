import TestSupport
import Testing

@testable import TidingsWire

@Suite("SHA1")
struct SHA1Tests {
    @Test(
        "The examples of FIPS 180-4",
        arguments: [
            ("", "da39a3ee 5e6b4b0d 3255bfef 95601890 afd80709"),
            ("abc", "a9993e36 4706816a ba3e2571 7850c26c 9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "84983e44 1c3bd26e baae4aa1 f95129e5 e54670f1"
            ),
        ]
    )
    func examples(message: String, hash: String) throws {
        #expect(SHA1.hash(Array(message.utf8)) == (try [UInt8](hex: hash)))
    }

    @Test("One million times the letter a")
    func million() throws {
        let message = Array(repeating: UInt8(ascii: "a"), count: 1_000_000)
        #expect(SHA1.hash(message) == (try [UInt8](hex: "34aa973c d4c4daa4 f61eeb2b dbad2731 6534016f")))
    }

    @Test(
        "Lengths at which the padding takes another block",
        arguments: [
            (55, "c1c8bbdc 22796e28 c0e15163 d20899b6 5621d65a"),
            (56, "c2db330f 6083854c 99d4b5bf b6e8f29f 201be699"),
            (63, "03f09f5b 158a7a8c dad920bd dc29b81c 18a551f5"),
            (64, "0098ba82 4b5c1642 7bd7a112 2a5a442a 25ec644d"),
            (65, "11655326 c708d703 19be2610 e8a57d9a 5b959d3b"),
            (119, "ee971065 aaa017e0 632a8ca6 c77bb3bf 8b1dfc56"),
            (120, "f34c1488 385346a5 5709ba05 6ddd0828 0dd4c6d6"),
        ]
    )
    func padding(count: Int, hash: String) throws {
        let message = Array(repeating: UInt8(ascii: "a"), count: count)
        #expect(SHA1.hash(message) == (try [UInt8](hex: hash)))
    }
}
