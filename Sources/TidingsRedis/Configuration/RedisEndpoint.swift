/// Where a Redis listens.
public struct RedisEndpoint: Hashable, Sendable {
    enum Address: Hashable, Sendable {
        case host(String, port: Int)
        case unixSocket(path: String)
    }

    let address: Address

    /// A host and a port. A name is looked up again for each connection.
    ///
    /// - Parameters:
    ///   - name: A name or an address.
    ///   - port: The port, 6379 unless told otherwise.
    public static func host(_ name: String, port: Int = 6379) -> RedisEndpoint {
        RedisEndpoint(address: .host(name, port: port))
    }

    /// A socket in the file system.
    ///
    /// - Parameter path: Where it is.
    public static func unixSocket(path: String) -> RedisEndpoint {
        RedisEndpoint(address: .unixSocket(path: path))
    }
}

extension RedisEndpoint: CustomStringConvertible {
    /// The address.
    public var description: String {
        switch address {
        case .host(let name, let port): name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
        case .unixSocket(let path): path
        }
    }
}
