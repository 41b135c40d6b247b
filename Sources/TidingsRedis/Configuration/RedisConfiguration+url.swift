import NIOSSL

extension RedisConfiguration {
    /// Reads a URL.
    ///
    /// ```
    /// redis://user:password@redis.example.com:6379/0       TCP
    /// rediss://:password@redis-1:6379,redis-2:6379         TLS, a primary and its replica
    /// unix:///run/redis/redis.sock?db=0                    a socket in the file system
    /// ```
    ///
    /// Special characters in user and password are percent-encoded (RFC 3986 §2.1).
    ///
    /// - Parameter url: The URL.
    /// - Throws: ``RedisError/Code/configuration`` that says what is wrong, without the password.
    public init(url: String) throws(RedisError) {
        guard let mark = url.range(of: "://") else { throw Self.fault("it has no scheme") }
        let (scheme, rest) = (url[..<mark.lowerBound], url[mark.upperBound...])
        self.init()
        switch scheme {
        case "redis": try readHosts(rest)
        case "rediss":
            tls = .makeClientConfiguration()
            try readHosts(rest)
        case "unix", "redis+unix": try readSocket(rest)
        default: throw Self.fault("the scheme is redis, rediss or unix")
        }
    }

    private mutating func readSocket(_ text: Substring) throws(RedisError) {
        let rest = try readCredentials(text)
        let parts = rest.split(separator: "?", maxSplits: 1)
        guard let path = parts.first, path.hasPrefix("/") else { throw Self.fault("a socket has an absolute path") }
        endpoints = [.unixSocket(path: try Self.decoded(path))]
        guard parts.count == 2 else { return }
        guard parts[1].hasPrefix("db="), let number = UInt16(parts[1].dropFirst(3)) else {
            throw Self.fault("after the path comes ?db= and a number")
        }
        database = Int(number)
    }

    private mutating func readHosts(_ text: Substring) throws(RedisError) {
        let rest = try readCredentials(text)
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        for host in parts[0].split(separator: ",", omittingEmptySubsequences: false) {
            endpoints.append(try Self.endpoint(host))
        }
        guard parts.count == 2, !parts[1].isEmpty else { return }
        guard let number = UInt16(parts[1]) else { throw Self.fault("the path is the number of a database") }
        database = Int(number)
    }

    private mutating func readCredentials(_ text: Substring) throws(RedisError) -> Substring {
        guard let at = text.lastIndex(of: "@") else { return text }
        let parts = text[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if !parts[0].isEmpty { user = try Self.decoded(parts[0]) }
        guard parts.count == 2 else { throw Self.fault("a user has a password: user:password@") }
        if !parts[1].isEmpty { password = try Self.decoded(parts[1]) }
        return text[text.index(after: at)...]
    }

    private static func endpoint(_ text: Substring) throws(RedisError) -> RedisEndpoint {
        var (name, port) = (text, 6379)
        // The colons of an IPv6 address are inside of brackets.
        let end = text.lastIndex(of: "]") ?? text.startIndex
        if let colon = text[end...].lastIndex(of: ":") {
            guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else {
                throw fault("a port is a number up to 65535")
            }
            (name, port) = (text[..<colon], Int(number))
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        guard !name.isEmpty else { throw fault("it has no host") }
        return .host(String(name), port: port)
    }

    private static func decoded(_ text: Substring) throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                throw fault("after % come two hexadecimal digits")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw fault("it is not UTF-8") }
        return text
    }

    private static func fault(_ what: String) -> RedisError {
        RedisError(.configuration, "The URL of Redis cannot be read: \(what).")
    }
}

extension StringProtocol {
    /// Where a text stands first; nil if it does not.
    fileprivate func range(of text: String) -> Range<Index>? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
