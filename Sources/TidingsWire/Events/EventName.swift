/// What happened: the name of an event, 1–255 bytes of UTF-8 without control characters or white space.
public struct EventName: Sendable {
    /// The name as it stands on the wire.
    public let rawValue: String

    /// Checks and takes a name.
    ///
    /// - Parameter name: The name as it arrived or was configured.
    /// - Throws: ``WireError`` with the code ``WireError/Code/badRequest`` that says which rule is broken.
    public init(_ name: some StringProtocol) throws(WireError) {
        let name = String(name)
        let count = name.utf8.count
        guard (1...WireLimits.channelNameBytes).contains(count) else {
            throw WireError(
                .badRequest,
                "An event name is 1–\(WireLimits.channelNameBytes) bytes; this one has \(count)."
            )
        }
        guard !name.unicodeScalars.contains(where: { $0.isControlOrWhiteSpace }) else {
            throw WireError(.badRequest, "An event name has no white space and no control characters.")
        }
        rawValue = name
    }

    /// An entity came into being.
    public static let created: EventName = "created"
    /// An entity changed.
    public static let updated: EventName = "updated"
    /// An entity is gone.
    public static let deleted: EventName = "deleted"
    /// An entity moved to another state.
    public static let statusChanged: EventName = "status_changed"
    /// Reserved: whatever you hold for this channel may be out of date, refetch it. See ``StaleReason``.
    public static let stale: EventName = "stale"
}

extension EventName: Hashable {
    /// Whether both names have the same bytes.
    public static func == (left: EventName, right: EventName) -> Bool {
        left.rawValue.utf8.elementsEqual(right.rawValue.utf8)
    }

    /// Feeds the bytes of the name, and one that no name has as its end.
    public func hash(into hasher: inout Hasher) {
        hasher.combineBytes(of: rawValue)
    }
}

extension EventName: ExpressibleByStringLiteral {
    /// Takes a name that is written in the source; a literal that is no event name stops the program.
    public init(stringLiteral value: String) {
        do {
            try self.init(value)
        } catch {
            preconditionFailure("\"\(value)\" is not an event name. \(error.message)")
        }
    }
}

extension EventName: CustomStringConvertible {
    /// The name as it stands on the wire.
    public var description: String { rawValue }
}

/// Why a channel turned stale.
public struct StaleReason: RawRepresentable, Hashable, Sendable {
    /// The reason as it stands on the wire.
    public let rawValue: String

    /// Takes any reason, known or not.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Events between the last one received and now are missing.
    public static let gap = StaleReason(rawValue: "gap")
    /// The log behind the channel was lost or replaced.
    public static let epoch = StaleReason(rawValue: "epoch")
    /// The reader fell so far behind that its events were given up.
    public static let lagged = StaleReason(rawValue: "lagged")
    /// The backend between the nodes was away and came back.
    public static let backendRestored = StaleReason(rawValue: "backend_restored")
    /// An event could not be delivered and was set aside.
    public static let setAside = StaleReason(rawValue: "set_aside")
}
