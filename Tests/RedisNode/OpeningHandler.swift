import Foundation
import NIOCore
import TidingsBroadcast
import TidingsWire

/// The least of an HTTP server that lets a WebSocket be opened (RFC 6455 §4.2), so that any client can speak to a node.
final class OpeningHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let hub: BroadcastHub
    private var request = ""

    init(_ hub: BroadcastHub) {
        self.hub = hub
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        request += String(buffer: unwrapInboundIn(data))
        guard request.count < 16_384 else { return context.close(promise: nil) }
        guard let end = request.range(of: "\r\n\r\n") else { return }
        let rest = String(request[end.upperBound...])
        guard let key = value(of: "sec-websocket-key"), WebSocketHandshake.isKey(key) else {
            return context.close(promise: nil)
        }
        open(context, key, isExtended: value(of: "sec-websocket-protocol")?.contains("tidings.v1") == true, rest)
    }

    private func open(_ context: ChannelHandlerContext, _ key: String, isExtended: Bool, _ rest: String) {
        let chosen = isExtended ? "Sec-WebSocket-Protocol: tidings.v1\r\n" : ""
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: \(WebSocketHandshake.accept(key))\r\n\(chosen)\r\n"
        context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil)
        let session = hub.makeSessionHandler(
            on: context.eventLoop,
            speaking: isExtended ? .extended : .plain,
            writesDirectly: true
        )
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(session, position: .after(self))
            // What the client has sent behind its request is the session's.
            if !rest.isEmpty { context.fireChannelRead(NIOAny(ByteBuffer(string: rest))) }
            pipeline.removeHandler(self, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    private func value(of header: String) -> String? {
        for line in request.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == header else { continue }
            return String(parts[1].drop { $0 == " " })
        }
        return nil
    }
}
