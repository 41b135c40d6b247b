import NIOSSL

/// A certificate for `localhost` and 127.0.0.1 that signed itself. Its key is public: it protects nothing but tests.
enum TestCertificate {
    static func server() throws -> TLSConfiguration {
        let key = try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem)
        return .makeServerConfiguration(certificateChain: [.certificate(try certificate)], privateKey: .privateKey(key))
    }

    /// Trusts this certificate and no other.
    static func client() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates([try certificate])
        return configuration
    }

    private static var certificate: NIOSSLCertificate {
        get throws { try NIOSSLCertificate(bytes: Array(certificatePEM.utf8), format: .pem) }
    }

    private static let certificatePEM = """
        -----BEGIN CERTIFICATE-----
        MIIBmjCCAUGgAwIBAgIUEGy/7CdrQk/PHDyn3ZTvHDcbYv8wCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEyMDk0NFoYDzIxMjYxMDI4
        MTIwOTQ0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAARh5Ez0ojeP1b79qnuJtszMU7kM79GY6poFMfMLRH10HNAkYGf43lnX
        gmNkHsstTl6KI681FwJUJtna3n8n/wkko28wbTAdBgNVHQ4EFgQUcCcnDbpN51+b
        6FYe0v795t1c/0gwHwYDVR0jBBgwFoAUcCcnDbpN51+b6FYe0v795t1c/0gwDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDRwAwRAIgFBV22tgHNdBog5JbDEjWkReiHRnq+0q5p9PWwv0mnNMCIEm1
        KFJD244ZIZqFJatNvW9c7N3vgkpcqsN1nAAJ+Nw1
        -----END CERTIFICATE-----
        """

    private static let keyPEM = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdWkX3Sbt78RudydK
        t8IIpxSP4SZBaM9TC2tNoVwz43mhRANCAARh5Ez0ojeP1b79qnuJtszMU7kM79GY
        6poFMfMLRH10HNAkYGf43lnXgmNkHsstTl6KI681FwJUJtna3n8n/wkk
        -----END PRIVATE KEY-----
        """
}
