import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypesHTTP1
import Testing
import TidingsWire

@testable import TidingsHummingbird

/// Upgrades on a channel and a loop that move only when a test says so.
@Suite("Time for an upgrade")
final class UpgradeHandlerTests {
    private let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private let handler: UpgradeHandler
    private let steps: AsyncStream<UpgradeHandler.Step>

    init() throws {
        let (steps, continuation) = AsyncStream.makeStream(of: UpgradeHandler.Step.self)
        self.steps = steps
        handler = UpgradeHandler(steps: continuation, timeouts: ConnectionTimeouts(), logger: Logger(label: "test"))
        channel = EmbeddedChannel(loop: loop)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTPResponseEncoder())
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)))
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        try pipeline.addHandler(handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    @Test("a connection that sends nothing is closed after ten seconds")
    func silence() {
        loop.advanceTime(by: .milliseconds(9900))
        #expect(channel.isActive)
        loop.advanceTime(by: .milliseconds(200))
        #expect(!channel.isActive)
    }

    @Test("a head that comes in drops does not gain time")
    func drops() throws {
        for character in "GET /ws/broadcast HTTP/1.1\r\nX: ".utf8.prefix(20) {
            try channel.writeInbound(ByteBuffer(bytes: [character]))
            loop.advanceTime(by: .milliseconds(490))
        }
        loop.advanceTime(by: .milliseconds(300))
        #expect(!channel.isActive)
    }

    @Test("a router that does not answer has the same time")
    func slowRouter() throws {
        try channel.writeInbound(ByteBuffer(string: UpgradeTests.handshake))
        loop.advanceTime(by: .seconds(11))
        #expect(!channel.isActive)
    }

    @Test("nothing is read while the router answers")
    func withheldReads() throws {
        let reads = ReadCounter()
        try channel.pipeline.syncOperations.addHandler(reads, position: .first)
        try channel.writeInbound(ByteBuffer(string: UpgradeTests.handshake))
        let before = reads.count
        channel.pipeline.read()
        #expect(reads.count == before)
        accept()
        #expect(reads.count == before + 1)
    }

    @Test("a session outlives the time for the upgrade, and has the pipeline to itself")
    func accepted() throws {
        try channel.writeInbound(ByteBuffer(string: UpgradeTests.handshake))
        accept()
        loop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        _ = try channel.readOutbound(as: ByteBuffer.self)
        try channel.writeInbound(ByteBuffer(string: "not HTTP"))
        #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "not HTTP"))
    }

    private func accept() {
        let response = HTTPResponse(status: .switchingProtocols, headerFields: [.upgrade: "websocket"])
        handler.finish(response, body: ByteBuffer(), takeover: .webSocket { _, _ in Session() })
        loop.run()
    }

    /// Hands on what it gets.
    private final class Session: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
    }

    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private(set) var count = 0

        func read(context: ChannelHandlerContext) {
            count += 1
            context.read()
        }
    }
}
