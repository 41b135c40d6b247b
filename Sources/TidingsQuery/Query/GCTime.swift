/// How long an entry that nobody observes is kept before it is collected as garbage.
public enum GCTime: Hashable, Sendable, Comparable {
    /// For this long after its last observer has left. The default is five minutes.
    case after(Duration)
    /// For as long as the client lives, unless the cache's bounds are exceeded.
    case infinite

    /// Kept for some seconds.
    public static func seconds(_ count: Int) -> GCTime { .after(.seconds(count)) }

    /// Kept for some minutes.
    public static func minutes(_ count: Int) -> GCTime { .after(.seconds(60 * count)) }

    /// What applies where nobody says anything else: five minutes.
    public static let standard = GCTime.minutes(5)

    func deadline(from moment: Timestamp) -> Timestamp? {
        guard case .after(let duration) = self else { return nil }
        return moment + max(duration, .zero)
    }
}
