import Foundation
import JWTKit

/// Keys for tests, and tokens that no library would make.
enum TestKeys {
    /// Puts any header and any claims together and signs them with a secret.
    static func sign(header: String, claims: String, secret: String = TokenMaker.secret) async throws -> String {
        let keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        let text = encode(Data(header.utf8)) + "." + encode(Data(claims.utf8))
        return text + "." + encode(Data(try await keys.getKey().sign(Data(text.utf8))))
    }

    /// Whether two tokens differ at the most in how the bits of their signatures are written.
    static func isSame(_ left: String, _ right: String) -> Bool {
        guard let leftEnd = left.lastIndex(of: "."), let rightEnd = right.lastIndex(of: "."),
            left[..<leftEnd] == right[..<rightEnd]
        else { return false }
        return decode(left[leftEnd...].dropFirst()) == decode(right[rightEnd...].dropFirst())
    }

    static func set(_ keys: [[String: String]]) throws -> String {
        String(decoding: try JSONEncoder().encode(["keys": keys]), as: UTF8.self)
    }

    static func jwk(_ key: ES256PrivateKey, _ identifier: String?) -> [String: String] {
        var jwk = ["kty": "EC", "crv": "P-256", "x": key.parameters?.x ?? "", "y": key.parameters?.y ?? ""]
        jwk["kid"] = identifier
        return jwk
    }

    static func jwk(_ key: EdDSA.PrivateKey, _ identifier: String?) -> [String: String] {
        var jwk = ["kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": encode(key.publicKey.rawRepresentation)]
        jwk["kid"] = identifier
        return jwk
    }

    static func rsaJWK(_ identifier: String) -> [String: String] {
        ["kty": "RSA", "alg": "RS256", "n": rsaModulus, "e": "AQAB", "kid": identifier]
    }

    private static func encode(_ data: Data) -> String {
        data.base64EncodedString()
            .replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    private static func decode(_ text: Substring) -> Data? {
        let base64 = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        return Data(base64Encoded: base64 + String(repeating: "=", count: (4 - base64.count % 4) % 4))
    }

    /// Public like everything here: it protects nothing but tests.
    static let rsaPrivateKey = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC5zDwJ2JCjqWT0
        7geWR7owILJc1Qpk0uLKNeNIhhd/wUO0A25I8CFbb20Tc/UqI53fPWLLKa7n//OO
        TC6FIBF6kaN90Fxv2WlPJfiG9zgOMsK9CmJMgWvwjWRSf80MBIU753MnO+SzNlQY
        qH2Mkl8Q3+wa/sVyrnSlqj4P9Sdfiz0ngEf8OenWd0x2B5eX6HPVpikz4QyDZjKV
        4SrE2u8UiPHvydG2ypGeiKi+8iiLMItTjU74X3wM8BWnnHte+ydz+GjyO4Z+Almw
        N7M82X55Nf5WVl+AMG9J2yEBDerfczTHOTE9wd3UsrAmg1mkZzN3q+T674iExDYk
        NLFQ8WF1AgMBAAECggEAS8c+R3/CAlZA/Fqm0oa/rAhx5sXnPtb6M6IF6Jr0M6F2
        BRIPJYV2/W11TeVR/VVYeuf1Bsqh8TKlughdQuOg7V5AEbztLps8RdFFS3rCLJxM
        a8Cz9eMlTI/GdpV0Ym3nj1anUz2s2eETLJlv12kNh/rkN+BoVI1NuxGzzVteKyuT
        moC/p9dYNSywSuquWRRpEbhiPb1CsIk/fVD3lswo8Q+5Bn3Qnfz3DPA4YNO21tBV
        fligRE6ysSoU0H9w9Msk71ktlCJCQthdsE/EEI4LAU/+RvlzaFNVTi86sCJWhxNQ
        hPFAU4bA3mCzRk4h5ot9Dy1UujZI9jMG85KOgt1o0wKBgQDfTxJyvOIJlKzxNdKH
        /aeghXnC2HLzQFoJvP7A9E/IIzerdOofsl4rRd2UdfvuP+TuH6wjynIB69+aLviE
        ObazM8hpC5qaEEHmcXRTJDiQJ4Svr3Z6Z/iTWEVY9r1ojyPQQHO+s80Im7dkE3pm
        z+mZABQuI0UhbWNzmRpjjacCQwKBgQDU/1zbAKslgt/5GHEoJGj2iahbK2Yz6IR0
        5+DZLHcjRboDZwHHyeZVonljc50xvb+y/o+T0rUtFvA8PEktNAGQKNFGU1f2sxOo
        mW7k3rBdSN301IhmwYt/ZFnj4N9oVy28lqch3FhxqfYOjby0luKGS6XLQZ7jkvwD
        cty4ViRd5wKBgFoUpqd8RF6DCCShhpTvIOCjF1QfRneT/P4yrD2gEFL2ye0zU4KH
        zG7+Vv0dfwxD4BCi3Cjv8H+P6/phekS0l1vAxtaBJNODPWI9YCRt1xdnqaHJUSzd
        piuiDw9tMUjtfQ/z//zswQf48MjBBr5UnrHmkz1tYuSyIM0v9LI2ISnLAoGAbcAb
        L3l7tntmPur6O43vS8GIr1mAcxTHU5m7gQvpY5JlE6W7BCAjgFKUq8sB34R/R5Ll
        lmzHEDG2ncMOja0zdP2jP9JoC+UgJwrQWjvoslh+jc4JbrEh2QVzT/kqBJCPL5KN
        EeSA6iiCceNUrdTlaf+GsWHhpi+xjXFdC9rPKFcCgYEA1a26OvmMhtA+y9oL8cQe
        EG86X5FkCq2UGMVhh8uThsVeI6C9jhEe7SGTYaiMszwVCcdf/hZj5Y0xI/TWos4z
        fmmvQR97IJc3FR1Ca1m9pIIYAKKOuD2M2q2ffRXCGg220PaT8KP0Zp/fvt82y8eR
        H3qk9xZsM2POV7+cVM6vVgQ=
        -----END PRIVATE KEY-----
        """

    static let rsaPublicKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAucw8CdiQo6lk9O4Hlke6
        MCCyXNUKZNLiyjXjSIYXf8FDtANuSPAhW29tE3P1KiOd3z1iyymu5//zjkwuhSAR
        epGjfdBcb9lpTyX4hvc4DjLCvQpiTIFr8I1kUn/NDASFO+dzJzvkszZUGKh9jJJf
        EN/sGv7Fcq50pao+D/UnX4s9J4BH/Dnp1ndMdgeXl+hz1aYpM+EMg2YyleEqxNrv
        FIjx78nRtsqRnoiovvIoizCLU41O+F98DPAVp5x7Xvsnc/ho8juGfgJZsDezPNl+
        eTX+VlZfgDBvSdshAQ3q33M0xzkxPcHd1LKwJoNZpGczd6vk+u+IhMQ2JDSxUPFh
        dQIDAQAB
        -----END PUBLIC KEY-----
        """

    private static let rsaModulus =
        "ucw8CdiQo6lk9O4Hlke6MCCyXNUKZNLiyjXjSIYXf8FDtANuSPAhW29tE3P1KiOd3z1iyymu5__zjkwuhSARepGjfd"
        + "Bcb9lpTyX4hvc4DjLCvQpiTIFr8I1kUn_NDASFO-dzJzvkszZUGKh9jJJfEN_sGv7Fcq50pao-D_UnX4s9J4BH_Dnp"
        + "1ndMdgeXl-hz1aYpM-EMg2YyleEqxNrvFIjx78nRtsqRnoiovvIoizCLU41O-F98DPAVp5x7Xvsnc_ho8juGfgJZsD"
        + "ezPNl-eTX-VlZfgDBvSdshAQ3q33M0xzkxPcHd1LKwJoNZpGczd6vk-u-IhMQ2JDSxUPFhdQ"
}
