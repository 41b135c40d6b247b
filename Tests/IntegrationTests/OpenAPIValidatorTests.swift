import Foundation
import TestSupport
import Testing

/// What `Tests/Vectors` keeps is what the server writes: the tests of the entities compare the two.
@Suite("OpenAPI documents before a validator that others have written", .timeLimit(.patience))
struct OpenAPIValidatorTests {
    @Test("the document of a restaurant is valid", .needs(.openAPIValidator))
    func valid() async throws {
        let validator = try Self.validator(of: Self.file.path)
        #expect(try await validator.line(containing: "openapi-restaurant.json").hasSuffix(": OK"))
        #expect(try await validator.exitStatus() == 0)
    }

    @Test("a type that there is not would be found", .needs(.openAPIValidator))
    func invalid() async throws {
        let document = try String(contentsOf: Self.file, encoding: .utf8)
        let broken = document.replacing("\"boolean\"", with: "\"bool\"")
        #expect(broken != document)
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let copy = folder.file("openapi.json")
        try Data(broken.utf8).write(to: URL(filePath: copy))
        let validator = try Self.validator(of: copy)
        try await validator.line(containing: "'bool' is not valid")
        #expect(try await validator.exitStatus() != 0)
    }

    private static func validator(of path: String) throws -> RunningProgram {
        try RunningProgram.start(
            try Tool.openAPIValidator.require(),
            ["-m", "openapi_spec_validator", "--schema", "3.1", "--validation-errors", "all", path]
        )
    }

    private static var file: URL {
        URL(filePath: Programs.packageRoot).appending(path: "Tests/Vectors/openapi-restaurant.json")
    }
}
