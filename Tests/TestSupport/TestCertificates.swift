import Foundation

/// A certificate authority of the tests' own, another one, and a server's certificate for `localhost` and 127.0.0.1.
public enum TestCertificates {
    /// Makes `ca.pem`, `other-ca.pem`, `server.pem` and `server.key`.
    ///
    /// - Parameter folder: Where they are put; made if it is not there.
    public static func make(in folder: String) async throws {
        guard let openssl = Programs.path(of: "openssl") else { throw TestFailure("openssl is not installed") }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for name in ["ca", "other-ca"] {
            let files = ["-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem"]
            try await Programs.run([openssl, "req", "-x509", "-subj", "/CN=\(name)", "-days", "2"] + key + files)
        }
        let request = ["-keyout", "\(folder)/server.key", "-out", "\(folder)/server.csr"]
        try await Programs.run([openssl, "req", "-subj", "/CN=localhost"] + key + request)
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1".utf8).write(to: URL(fileURLWithPath: "\(folder)/names"))
        let signing = ["-CA", "\(folder)/ca.pem", "-CAkey", "\(folder)/ca.key", "-CAcreateserial", "-days", "2"]
        let files = ["-in", "\(folder)/server.csr", "-out", "\(folder)/server.pem", "-extfile", "\(folder)/names"]
        try await Programs.run([openssl, "x509", "-req"] + signing + files)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder)/server.key")
    }
}
