/// The states of an entity, and how it goes from one to another.
///
/// ```swift
/// enum Status: String, EntityState {
///     case open, preparing, ready, served, cancelled
///
///     static let states = EntityStates<Status>(initial: .open, [
///         .open: [.preparing, .cancelled],
///         .preparing: [.ready, .cancelled],
///         .ready: [.served],
///     ])
/// }
/// ```
///
/// A field of this type is checked on every way that it can change. An entity has at most one.
public protocol EntityState: FieldChoice {
    /// Where it begins and how it goes on.
    static var states: EntityStates<Self> { get }
}

extension EntityState {
    /// The transitions, for the schema.
    public static var stateMachine: StateMachine? { states.machine }
    /// Where every entity begins.
    public static var blank: Self { states.initial }

    /// The states that may follow this one, in the order of their declaration.
    public var allowedTransitions: [Self] { Self.states.allowedTransitions(from: self) }
    /// Whether nothing follows this state.
    public var isTerminal: Bool { allowedTransitions.isEmpty }

    /// Whether a state may follow this one.
    public func canTransition(to next: Self) -> Bool { Self.states.canTransition(from: self, to: next) }
}

/// Where an entity begins, and which state may follow which.
public struct EntityStates<State: EntityState>: Sendable {
    /// Where every entity begins.
    public let initial: State
    private let transitions: [State: [State]]

    /// Declares states. That every state can be reached is checked when the server starts.
    ///
    /// - Parameters:
    ///   - initial: Where every entity begins.
    ///   - transitions: What may follow each state. Nothing follows a state that is not mentioned.
    public init(initial: State, _ transitions: [State: [State]]) {
        self.initial = initial
        self.transitions = transitions
    }

    /// The states that may follow a state, in the order of their declaration.
    public func allowedTransitions(from state: State) -> [State] { transitions[state] ?? [] }

    /// Whether a state may follow another.
    public func canTransition(from state: State, to next: State) -> Bool {
        allowedTransitions(from: state).contains(next)
    }

    var machine: StateMachine {
        StateMachine(
            initial: initial.rawValue,
            states: State.allCases.map(\.rawValue),
            transitions: Dictionary(
                transitions.map { ($0.rawValue, $1.map(\.rawValue)) },
                uniquingKeysWith: { first, _ in first }
            )
        )
    }
}

/// The states of an entity by their names.
public struct StateMachine: Hashable, Sendable {
    /// Where every entity begins.
    public let initial: String
    /// Every state, in the order of declaration.
    public let states: [String]
    /// What may follow each state.
    public let transitions: [String: [String]]

    /// Declares states by their names.
    ///
    /// - Parameters:
    ///   - initial: Where every entity begins.
    ///   - states: Every state.
    ///   - transitions: What may follow each state.
    public init(initial: String, states: [String], transitions: [String: [String]]) {
        self.initial = initial
        self.states = states
        self.transitions = transitions
    }

    /// The states that may follow a state.
    public func allowedTransitions(from state: String) -> [String] { transitions[state] ?? [] }

    /// Whether a state may follow another.
    public func canTransition(from state: String, to next: String) -> Bool {
        allowedTransitions(from: state).contains(next)
    }

    /// The states that the next one may follow.
    func sources(of next: String) -> [String] {
        states.filter { canTransition(from: $0, to: next) }
    }

    /// What is wrong with the declaration, in sentences.
    var faults: [String] {
        var faults: [String] = []
        if !states.contains(initial) { faults.append("its initial state \"\(initial)\" is none of its states") }
        for (state, next) in transitions.sorted(by: { $0.key < $1.key }) {
            for name in [state] + next where !states.contains(name) {
                faults.append("a transition of \"\(state)\" names \"\(name)\", which is none of its states")
            }
            if Set(next).count < next.count { faults.append("\"\(state)\" names a transition twice") }
            if next.contains(state) { faults.append("\"\(state)\" has a transition to itself") }
        }
        let reached = reachable
        for state in states where !reached.contains(state) {
            faults.append("nothing leads from \"\(initial)\" to \"\(state)\": declare a transition or remove the state")
        }
        return faults
    }

    private var reachable: Set<String> {
        var reached: Set<String> = []
        var open = [initial]
        while let state = open.popLast() {
            if reached.insert(state).inserted { open += allowedTransitions(from: state) }
        }
        return reached
    }
}
