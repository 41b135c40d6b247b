import Foundation
import Synchronization

/// Ports of 127.0.0.1.
public enum FreePort {
    /// There is none.
    public struct NotFound: Error {}

    /// Below those that systems choose by themselves: nobody else comes by one of these while its server is away.
    private static let range = 10_000..<32_768
    private static let given = Mutex<Set<Int>>([])

    /// A port that is free now, and that is given to nobody else in this process.
    public static func find() throws -> Int {
        for _ in 0..<1_000 {
            let port = Int.random(in: range)
            if given.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
        }
        throw NotFound()
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = makeSocket()
        defer { close(descriptor) }
        var address = address(port: port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func makeSocket() -> Int32 {
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }
}
