import Foundation
import JWTKit
import SocketTestSupport
import TestSupport
import Testing

/// What `tidings doctor` says of a server.
struct DoctorReport {
    /// One for each check: what is to be done about it is left out.
    let lines: [String]
    let status: Int32

    static func of(_ url: String, _ options: String...) async throws -> DoctorReport {
        try await of(url, options)
    }

    static func of(_ url: String, _ options: [String]) async throws -> DoctorReport {
        let doctor = try RunningProgram.start(try Programs.built("tidings"), ["doctor", url] + options)
        var lines: [String] = []
        // The last check, and not the end of the output: a server that another test starts meanwhile may hold that open.
        while lines.last?.split(separator: " ").dropFirst().first != "broadcast" {
            guard let line = try await doctor.output.next() else { break }
            if !line.hasPrefix(" ") { lines.append(line) }
        }
        return DoctorReport(lines: lines, status: try await doctor.exitStatus())
    }

    /// Expects that this is wrong, and nothing else.
    static func expect(_ check: String, _ code: String, of url: String, _ options: String...) async throws {
        let report = try await of(url, options)
        let wrong = report.lines.filter { $0.hasPrefix("WRONG") }
        #expect(wrong.count == 1)
        let words = wrong.first?.split(separator: " ").prefix(3).map(String.init)
        #expect(words == ["WRONG", check, code + ":"], "\(report.lines)")
        #expect(report.status == 1)
        #expect(report.lines.count == 9)
    }
}

/// Tokens of the subject 42.
enum TestToken {
    static let secret = String(repeating: "x", count: 32)

    private struct Claims: JWTPayload {
        var sub = "42"
        let exp: Double
        let channels: [String]
        let publish: [String]

        func verify(using algorithm: some JWTAlgorithm) {}
    }

    static func make(
        secret: String = secret,
        lasting life: Double = 600,
        channels: [String] = ["*"],
        publish: [String] = ["*"]
    ) async throws -> String {
        let keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        let end = Date().timeIntervalSince1970 + life
        return try await keys.sign(Claims(exp: end, channels: channels, publish: publish))
    }
}
