import Testing
import TidingsHummingbird

@Suite("What is printed of settings")
struct SecretsTests {
    @Test("has no secrets in it, however it is printed")
    func secrets() throws {
        let secret = "kx81ktYzE9sLq0wU3vBn5mCd7fGh2jPa"
        var endpoints = BroadcastEndpoints()
        endpoints.operatorSecret = secret
        endpoints.console = try Console(secret: secret)
        for value in [endpoints, endpoints.console as Any] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] { #expect(!text.contains(secret)) }
        }
    }
}
