import ArgumentParser
import BistroAPI
import Testing
import TidingsSync

@testable import BistroTerminal

struct FailureTests {
    private func problem(_ json: String) -> APIError {
        APIError(
            .invalid,
            "Fields are not what they have to be.",
            status: 422,
            problem: ProblemDetails(json: Array(json.utf8))
        )
    }

    @Test func namesTheFields() {
        let error = problem(
            """
            {"title": "Unprocessable", "errors": [
                {"pointer": "/table", "code": "length", "message": "has 1–20 characters"},
                {"pointer": "/note", "code": "length", "message": "has 1–200 characters"}]}
            """
        )
        #expect(Failure.sentence(error) == "table has 1–20 characters, note has 1–200 characters.")
    }

    @Test(arguments: [
        (APIError(.unreachable, "x"), "No restaurant answers at http://a: is it open there?"),
        (APIError(.unreadable, "Strange."), "What answers at http://a is no restaurant. Strange."),
        (APIError(.notFound, "There is no such order."), "There is no such order."),
    ])
    func tellsWhyThereIsNoRestaurant(_ error: APIError, _ sentence: String) throws {
        let options = try ServerOptions.parse(["--url", "http://a"])
        #expect(options.failure(error) == CommandFailure(sentence))
    }

    @Test(arguments: ["foo", "ftp://a", "http://", "http://a?b"])
    func refusesAURL(_ url: String) throws {
        let options = try ServerOptions.parse(["--url", url])
        #expect(throws: CommandFailure.self) { try options.client() }
    }
}
