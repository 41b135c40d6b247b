import Foundation

/// A certificate authority of the tests' own, and a server's certificate for `localhost` and 127.0.0.1.
public enum TestCertificates {
    /// Makes `ca.pem`, `server.pem` and `server.key`.
    ///
    /// - Parameter folder: Where they are put.
    public static func make(in folder: String) async throws {
        guard let openssl = Program.path(of: "openssl") else {
            throw RedisTestFailure(description: "openssl is not installed")
        }
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        let authority = ["-keyout", "\(folder)/ca.key", "-out", "\(folder)/ca.pem"]
        try await Program.run([openssl, "req", "-x509", "-subj", "/CN=ca", "-days", "2"] + key + authority)
        let request = ["-keyout", "\(folder)/server.key", "-out", "\(folder)/server.csr"]
        try await Program.run([openssl, "req", "-subj", "/CN=localhost"] + key + request)
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1".utf8).write(to: URL(fileURLWithPath: "\(folder)/names"))
        let signing = ["-CA", "\(folder)/ca.pem", "-CAkey", "\(folder)/ca.key", "-CAcreateserial", "-days", "2"]
        let files = ["-in", "\(folder)/server.csr", "-out", "\(folder)/server.pem", "-extfile", "\(folder)/names"]
        try await Program.run([openssl, "x509", "-req"] + signing + files)
    }
}

extension RedisServer {
    /// The certificate of the authority that the server's certificate is of.
    public var authority: String { "\(folder)/ca.pem" }
}
