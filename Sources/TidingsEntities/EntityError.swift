package import TidingsWire

/// Why a change was not made, or an entity not found.
public struct EntityError: Error, Sendable {
    /// What kind of failure it was. Later versions may add codes.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name, which clients get to see.
        public let rawValue: String

        /// Takes any code, known or not.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// There is none, or none any more, or none that the caller may know of.
        public static let notFound = Code(rawValue: "not_found")
        /// The caller may not do this.
        public static let forbidden = Code(rawValue: "forbidden")
        /// The change is based on a version that is not the current one.
        public static let staleVersion = Code(rawValue: "stale_version")
        /// The change names no version, and has to.
        public static let versionRequired = Code(rawValue: "version_required")
        /// The state that it should go to may not follow the one that it is in.
        public static let illegalTransition = Code(rawValue: "illegal_transition")
        /// Fields are not what they have to be.
        public static let invalid = Code(rawValue: "invalid")
        /// The body is no JSON object.
        public static let malformed = Code(rawValue: "malformed")
        /// A parameter is not what it has to be.
        public static let invalidParameter = Code(rawValue: "invalid_parameter")
        /// The change names an entity tag that is not the current one.
        public static let preconditionFailed = Code(rawValue: "precondition_failed")
        /// There is one with this identifier already.
        public static let duplicate = Code(rawValue: "duplicate")
        /// Others still need it.
        public static let inUse = Code(rawValue: "in_use")
        /// The same idempotency key came with another request.
        public static let idempotencyKeyReused = Code(rawValue: "idempotency_key_reused")
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence that says what to do, for clients too.
    public let message: String
    /// What is wrong with fields; empty unless the code is ``Code/invalid``.
    public let faults: [FieldFault]
    /// The entity as it is, where the change did not fit it: what clients are shown.
    package let current: JSONNode?
    /// The kind of entity that ``current`` is one of.
    let entity: String?
    /// The state that it is in, where the change did not fit that.
    public let state: String?
    /// The states that could follow.
    public let allowed: [String]

    init(
        _ code: Code,
        _ message: String,
        faults: [FieldFault] = [],
        of entity: String? = nil,
        current: JSONNode? = nil,
        state: String? = nil,
        allowed: [String] = []
    ) {
        self.code = code
        self.message = message
        self.faults = faults
        self.entity = entity
        self.current = current
        self.state = state
        self.allowed = allowed
    }

    /// A change that the application does not want to be made now.
    ///
    /// - Parameters:
    ///   - code: Says why, for programs: stable, in snake case.
    ///   - message: Says why and what to do, for people.
    public static func refused(_ code: String, _ message: String) -> EntityError {
        EntityError(Code(rawValue: code), message)
    }

    /// A caller who may not do this.
    ///
    /// - Parameter message: Says what to do, for people.
    public static func forbidden(_ message: String = "You may not do this.") -> EntityError {
        EntityError(.forbidden, message)
    }
}

extension EntityError: CustomStringConvertible {
    /// Code, message, and which fields are wrong.
    public var description: String {
        "\(code.rawValue): \(message)" + faults.map { " \($0.pointer) \($0.message)" }.joined()
    }
}

/// What is wrong with one field.
public struct FieldFault: Hashable, Sendable {
    /// Where it is in the body: a JSON pointer (RFC 6901), such as `/table`. Empty for the body as a whole.
    public let pointer: String
    /// What is wrong, for programs: stable, in snake case.
    public let code: String
    /// What is wrong and what it has to be, for people.
    public let message: String

    /// Describes what is wrong.
    ///
    /// - Parameters:
    ///   - pointer: Where it is in the body.
    ///   - code: What is wrong, for programs.
    ///   - message: What is wrong, for people.
    public init(pointer: String, code: String, message: String) {
        self.pointer = pointer
        self.code = code
        self.message = message
    }
}

/// Collects what is wrong with the fields of an entity.
///
/// ```swift
/// func validate(_ faults: inout FieldFaults<Booking>) {
///     if end < begin { faults.add(\.$end, "order", "is after the begin") }
/// }
/// ```
public struct FieldFaults<Subject: FieldSet>: Sendable {
    private(set) var all: [FieldFault] = []
    private let prototype: Subject
    private let layout: FieldLayout

    init(prototype: Subject, layout: FieldLayout) {
        self.prototype = prototype
        self.layout = layout
    }

    /// Says what is wrong with a field.
    ///
    /// - Parameters:
    ///   - field: The field.
    ///   - code: What is wrong, for programs: stable, in snake case.
    ///   - message: What it has to be, for people: what follows the field's name in a sentence.
    public mutating func add<Value>(_ field: KeyPath<Subject, Field<Value>>, _ code: String, _ message: String) {
        let place = layout.place(of: prototype[keyPath: field].definition)
        let pointer = place.map { "/" + layout.columns[$0].name } ?? ""
        all.append(FieldFault(pointer: pointer, code: code, message: message))
    }

    /// Says what is wrong with the entity as a whole.
    ///
    /// - Parameters:
    ///   - code: What is wrong, for programs: stable, in snake case.
    ///   - message: What is wrong and what it has to be, for people.
    public mutating func add(_ code: String, _ message: String) {
        all.append(FieldFault(pointer: "", code: code, message: message))
    }
}
