/// What a channel's events mean to a reader that falls behind.
public struct ChannelDelivery: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case signal
        case stream
        case snapshot
    }

    let kind: Kind

    /// Events are hints about what to refetch. Of those that wait, a newer one about the same entity (`entity_id`) and
    /// with the same name takes the place of an older one; past the limit they give way to one `stale` event. A slow
    /// reader costs bounded memory and is never closed for it. This is the default.
    public static let signal = ChannelDelivery(kind: .signal)

    /// Every event matters, in order. A reader that falls behind by more than the limit of bytes is closed with 4001 and
    /// comes back with its position.
    public static let stream = ChannelDelivery(kind: .stream)

    /// Only the newest event counts. It takes the place of one that waits, and a new subscriber gets it at once.
    public static let snapshot = ChannelDelivery(kind: .snapshot)
}
