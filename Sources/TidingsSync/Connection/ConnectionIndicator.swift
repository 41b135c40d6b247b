/// What a screen shows of the broadcast connection: a value made of its state.
///
/// ```swift
/// let indicator = ConnectionIndicator(sync.broadcast.state, hidesWhenConnected: true)
/// if indicator.isVisible { Label(indicator.text, systemImage: indicator.symbol) }
/// ```
///
/// ``BroadcastClient/state`` can be observed, so a view that makes an indicator of it is drawn anew when it changes.
public struct ConnectionIndicator: Hashable, Sendable {
    /// How much it says.
    public enum Form: Hashable, Sendable {
        /// A symbol and a word, and what is wrong.
        case full
        /// A symbol.
        case compact
    }

    /// How it stands.
    public enum Tone: Hashable, Sendable {
        /// What changes is heard of.
        case good
        /// It will be soon, and what was missed with it.
        case working
        /// It is not until somebody does something.
        case bad
    }

    /// What it is made of.
    public let state: BroadcastClient.State
    /// How much it says.
    public let form: Form
    /// Whether it is to be shown.
    public let isVisible: Bool

    /// Makes an indicator.
    ///
    /// - Parameters:
    ///   - state: How the connection stands.
    ///   - form: How much it says.
    ///   - hidesWhenConnected: Whether it is to be shown only when something is wrong.
    public init(_ state: BroadcastClient.State, form: Form = .full, hidesWhenConnected: Bool = false) {
        self.state = state
        self.form = form
        isVisible = !(hidesWhenConnected && state == .connected)
    }

    /// How it stands.
    public var tone: Tone {
        switch state {
        case .connected: .good
        case .connecting, .reconnecting: .working
        case .disconnected, .failed: .bad
        }
    }

    /// A word for it.
    public var label: String {
        switch state {
        case .connecting: "Connecting"
        case .connected: "Live"
        case .reconnecting: "Reconnecting"
        case .disconnected: "Offline"
        case .failed: "Not connected"
        }
    }

    /// What can be done about it; nil if nothing has to be, or the form is compact.
    public var detail: String? {
        guard case .failed(let error) = state, form == .full else { return nil }
        return error.message
    }

    /// The name of a symbol, from SF Symbols.
    public var symbol: String {
        switch tone {
        case .good: "circle.fill"
        case .working: "circle.dotted"
        case .bad: "exclamationmark.circle.fill"
        }
    }

    /// What is read or shown: the symbol's meaning in compact form, a sentence in full.
    public var text: String { detail.map { "\(label): \($0)" } ?? label }
}
