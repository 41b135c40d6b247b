/// A short text that tells texts apart which differ by chance, the same in every process. Not against somebody who makes
/// two with the same one.
package enum Fingerprint {
    /// FNV-1a with 128 bits, in base 36.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in bytes { hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B }
        return String(hash, radix: 36)
    }
}
