import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import TidingsHTTPTransport

@Suite("Requests over AsyncHTTPClient", .timeLimit(.patience))
struct AsyncHTTPClientTransportTests {
    /// A server on a free port, for as long as the body runs.
    private func serve(_ body: @Sendable (String) async throws -> Void) async throws {
        let router = Router()
        router.post("/echo") { request, _ in
            let buffer = try await request.body.collect(upTo: 1 << 20)
            var headers: HTTPFields = [.contentType: "application/json"]
            headers[.eTag] = request.headers[.ifMatch]
            return Response(status: .created, headers: headers, body: ResponseBody(byteBuffer: buffer))
        }
        router.get("/moved") { _, _ in Response(status: .found, headers: [.location: "/long"]) }
        router.get("/long") { _, _ in String(repeating: "x", count: 10_000) }
        router.get("/never") { _, _ -> String in
            // Until the client has gone, or the server has to.
            try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(60)) }
            return ""
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { port.yield($0.localAddress?.port ?? 0) },
            logger: logger
        )
        let group = ServiceGroup(configuration: .init(services: [application], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await port in ports {
                try await body("http://127.0.0.1:\(port)")
                break
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test("method, path, headers and body go there, status, headers and body come back")
    func exchange() async throws {
        try await serve { url in
            let api = try APIClient(baseURL: url)
            var request = try APIRequest(.post, "/echo", body: ["a": 1])
            request.headers[.ifMatch] = #""7""#
            let answer = try await api.send(request, as: [String: Int].self)
            #expect(answer.value == ["a": 1])
            #expect(answer.head.status == .created)
            #expect(answer.head.headerFields[.eTag] == #""7""#)
        }
    }

    /// What a request fails with; nil if it does not.
    private func code(_ path: APIPath, _ url: String, timeout: Duration = .seconds(30)) async -> APIError.Code? {
        do {
            let transport = AsyncHTTPClientTransport(timeout: timeout)
            let api = try APIClient(baseURL: url, transport: transport, mostBytes: 1_000)
            _ = try await api.send(APIRequest(.get, path), as: NoContent.self)
            return nil
        } catch {
            return (error as? APIError)?.code
        }
    }

    @Test("an answer that is too long, one that does not come, and a server that is not there are told apart")
    func failures() async throws {
        try await serve { url in
            #expect(await code("/long", url) == .tooLarge)
            #expect(await code("/never", url, timeout: .milliseconds(50)) == .timedOut)
            #expect(await code("/moved", url) == .refused)
            #expect(await code("/", "http://127.0.0.1:1") == .unreachable)
        }
    }

    @Test("who waits no longer gets a cancellation, at once")
    func cancellation() async throws {
        try await serve { url in
            let api = try APIClient(baseURL: url)
            let task = Task { try await api.send(APIRequest(.get, "/never"), as: NoContent.self) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}
