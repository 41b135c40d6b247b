/// How long data counts as fresh. Fresh data is shown without asking the server again.
public enum StaleTime: Hashable, Sendable {
    /// Until it is this old. With ``zero``, which is the default, it is stale at once.
    case after(Duration)
    /// Until somebody invalidates it.
    case infinite
    /// For as long as it is there, also when it is invalidated.
    case `static`

    /// Stale at once.
    public static let zero = StaleTime.after(.zero)

    /// Stale after some seconds.
    public static func seconds(_ count: Int) -> StaleTime { .after(.seconds(count)) }

    /// Stale after some minutes.
    public static func minutes(_ count: Int) -> StaleTime { .after(.seconds(60 * count)) }

    /// Whether data is out of date. No data is always stale, static data never; otherwise it is if it was invalidated or is
    /// old enough.
    ///
    /// - Parameter updatedAt: Nil if there is no data.
    func isOver(for updatedAt: Timestamp?, isInvalidated: Bool, at moment: Timestamp) -> Bool {
        guard let updatedAt else { return true }
        return switch self {
        case .static: false
        case .infinite: isInvalidated
        case .after(let duration): isInvalidated || moment - updatedAt >= duration
        }
    }

    /// When data of a moment becomes stale by its age; nil if age does not matter.
    func deadline(for updated: Timestamp) -> Timestamp? {
        guard case .after(let duration) = self else { return nil }
        return updated + duration
    }
}
