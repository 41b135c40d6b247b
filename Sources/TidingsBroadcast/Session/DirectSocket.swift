import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The socket underneath a channel, for writing without going through its pipeline: one system call for each session
/// and turn of the loop, and nothing else.
///
/// The descriptor is the channel's. It may be used on the channel's loop only, and only right after the channel was seen
/// to be active: once NIO has closed it, the same number may be a stranger's.
struct DirectSocket {
    /// How much of what was to be sent the system took.
    enum Outcome: Equatable {
        case sent(Int)
        /// Not one byte: what was sent before has not been read yet.
        case full
        case failed(errno: CInt)
    }

    private let descriptor: CInt

    /// The socket of a channel; nil where there is none. Whoever asks knows that nothing stands between the channel's end
    /// and the wire: with TLS, bytes that go straight to the socket would not be encrypted.
    init?(_ context: ChannelHandlerContext) {
        guard let descriptor = Self.descriptor(of: context) else { return nil }
        self.descriptor = descriptor
    }

    private static func descriptor(of context: ChannelHandlerContext) -> CInt? {
        let pipeline = context.pipeline.syncOperations
        return try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { CInt($0) }
    }

    /// Sends as much as the system takes at once (send(2), never blocking, never a signal).
    func send(_ buffer: ByteBuffer) -> Outcome {
        buffer.withUnsafeReadableBytes { bytes in
            Self.outcome(of: { systemSend(descriptor, bytes.baseAddress, bytes.count) })
        }
    }

    private static func outcome(of call: () -> Int) -> Outcome {
        while true {
            let count = call()
            if count >= 0 { return .sent(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: return .full
            case let error: return .failed(errno: error)
            }
        }
    }
}

private func systemSend(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Darwin)
    // SO_NOSIGPIPE is set on every socket of NIO.
    send(descriptor, bytes, count, MSG_DONTWAIT)
    #else
    send(descriptor, bytes, count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
    #endif
}

extension ChannelHandlerContext {
    /// Closes at once and throws away what waits to be sent, on both sides of the system's border (SO_LINGER with no
    /// time). Where the option does not exist, on sockets that are none of TCP's, closing does the same more slowly.
    func abort() {
        _ = (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        close(promise: nil)
    }
}
