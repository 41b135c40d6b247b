import Foundation

/// A certificate authority of the tests' own, another one, and a server's certificate for `localhost` and 127.0.0.1.
enum TestCertificates {
    static func make(in folder: String, openssl: String) async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for name in ["ca", "other-ca"] {
            let files = ["-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem"]
            let command = [openssl, "req", "-x509", "-subj", "/CN=\(name)", "-days", "2"] + key + files
            try await Programs.run(command, in: folder)
        }
        let files = ["-keyout", "\(folder)/server.key", "-out", "\(folder)/server.csr"]
        try await Programs.run([openssl, "req", "-subj", "/CN=localhost"] + key + files, in: folder)
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        try Data(names.utf8).write(to: URL(fileURLWithPath: "\(folder)/names"))
        let authority = ["-CA", "\(folder)/ca.pem", "-CAkey", "\(folder)/ca.key", "-CAcreateserial"]
        let certificate = ["-out", "\(folder)/server.pem", "-days", "2", "-extfile", "\(folder)/names"]
        try await Programs.run(
            [openssl, "x509", "-req", "-in", "\(folder)/server.csr"] + authority + certificate,
            in: folder
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder)/server.key")
    }
}

extension PostgresServer {
    /// The certificate of the authority that the server's certificate is of.
    public var authority: String { "\(folder)/certificates/ca.pem" }
    /// The certificate of another authority.
    public var otherAuthority: String { "\(folder)/certificates/other-ca.pem" }
}
