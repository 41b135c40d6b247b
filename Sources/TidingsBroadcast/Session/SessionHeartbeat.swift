/// Whether a peer is still there, by what was heard and read of it. A value: whoever holds it says what time it is, in
/// ticks of a second or so.
///
/// A write that the system took proves nothing: the bytes may wait in this machine for a peer that is long gone. So only
/// two things count: bytes that came, and a write that had to wait and went on.
struct SessionHeartbeat {
    /// How long things may take, in ticks.
    struct Limits: Hashable, Sendable {
        /// Between two pings.
        var interval: Int64
        /// From the last sign of life to the end.
        var timeout: Int64
        /// Whether the peer has to show signs of life while it has nothing to read.
        var expectsSigns = true
    }

    enum Due: Equatable {
        case nothing
        /// Ask the peer for a sign of life.
        case ping
        /// The peer is gone, or reads nothing.
        case end
    }

    private var lastSign: Int64
    private var lastPing: Int64
    /// Since when a write waits without going on.
    private var blockedSince: Int64?

    init(at now: Int64) {
        lastSign = now
        lastPing = now
    }

    /// Something came.
    mutating func heard(at now: Int64) {
        lastSign = now
    }

    /// A write has to wait.
    mutating func blocked(at now: Int64) {
        blockedSince = blockedSince ?? now
    }

    /// Whether a write waits.
    var isBlocked: Bool { blockedSince != nil }

    /// For how long a write waits without going on.
    func blockedTicks(at now: Int64) -> Int64 { blockedSince.map { now - $0 } ?? 0 }

    /// A write went on, or is through. That is a sign of life only if it had to wait.
    mutating func progressed(at now: Int64, isThrough: Bool) {
        guard blockedSince != nil else { return }
        lastSign = now
        blockedSince = isThrough ? nil : now
    }

    mutating func tick(at now: Int64, limits: Limits) -> Due {
        if limits.expectsSigns, now - lastSign >= limits.timeout { return .end }
        if let blockedSince, now - blockedSince >= limits.timeout { return .end }
        guard now - lastPing >= limits.interval else { return .nothing }
        lastPing = now
        return .ping
    }
}
