/// Something that is rarely there, kept outside of what holds it: without it, it takes a word.
indirect enum Boxed<Wrapped: Sendable>: Sendable {
    case none
    case some(Wrapped)

    var value: Wrapped? {
        get {
            guard case .some(let wrapped) = self else { return nil }
            return wrapped
        }
        set { self = newValue.map { .some($0) } ?? .none }
    }
}
