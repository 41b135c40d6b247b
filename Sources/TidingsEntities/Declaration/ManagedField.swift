public import FoundationEssentials

/// Counts the changes of an entity, for optimistic locking: a change that names a version is made only if it is still the
/// current one. 1 for a new entity, one more with each change, 0 before it was inserted.
///
/// ```swift
/// @Version var version: Int
/// @Version(.required) var version: Int
/// ```
public typealias Version = ManagedField<VersionRole>

/// When an entity was created, to the millisecond; the first moment of 1970 before it was inserted.
public typealias CreatedAt = ManagedField<CreatedAtRole>

/// When an entity was last changed, to the millisecond; the first moment of 1970 before it was inserted.
public typealias UpdatedAt = ManagedField<UpdatedAtRole>

/// When an entity was deleted; nil while it is there. With it, deleted entities stay in the table and are gone for
/// everybody; without it their rows go. It never leaves the server.
public typealias DeletedAt = ManagedField<DeletedAtRole>

/// A number for people, counted up with each entity: `ORD-000123`; empty before it was inserted. Numbers of entities that
/// were not created after all may be missing.
///
/// ```swift
/// @Reference("ORD") var reference: String
/// ```
public typealias Reference = ManagedField<ReferenceRole>

/// A field that the server keeps by itself: nobody sets it.
@propertyWrapper
public struct ManagedField<Role: ManagedFieldRole>: Sendable {
    let definition: PropertyDefinition?
    /// The value as it was read; blank for an entity that was not.
    public let wrappedValue: Role.Value

    /// Declares the field.
    public init() {
        switch Role.purpose {
        case .version: self.init(kind: .version(isRequired: false))
        case .createdAt: self.init(kind: .createdAt)
        case .updatedAt: self.init(kind: .updatedAt)
        case .deletedAt: self.init(kind: .deletedAt, initial: .null, limits: FieldLimits(isSyncExcluded: true))
        case .reference: self.init(kind: .reference(prefix: ""), limits: FieldLimits(isUnique: true))
        }
    }

    fileprivate init(kind: PropertyDefinition.Kind, initial: SQLValue? = nil, limits: FieldLimits = FieldLimits()) {
        wrappedValue = .blank
        definition = PropertyDefinition(
            kind: kind,
            type: Role.Value.fieldType,
            isNullable: Role.Value.isNullable,
            initial: initial,
            limits: limits
        )
    }

    /// The declaration, for key paths such as `\.$createdAt`.
    public var projectedValue: ManagedField<Role> { self }
}

/// What a ``ManagedField`` is for.
public protocol ManagedFieldRole: Sendable {
    /// What it holds.
    associatedtype Value: FieldValue
    /// What the server keeps in it.
    static var purpose: ManagedFieldPurpose { get }
}

/// What the server keeps in a ``ManagedField``.
public enum ManagedFieldPurpose: Sendable {
    /// The number of changes.
    case version
    /// When it was created.
    case createdAt
    /// When it was last changed.
    case updatedAt
    /// When it was deleted.
    case deletedAt
    /// A number for people.
    case reference
}

/// The role of ``Version``.
public enum VersionRole: ManagedFieldRole {
    /// Counts from 1.
    public typealias Value = Int
    /// The purpose.
    public static var purpose: ManagedFieldPurpose { .version }
}

/// The role of ``CreatedAt``.
public enum CreatedAtRole: ManagedFieldRole {
    /// A moment.
    public typealias Value = Date
    /// The purpose.
    public static var purpose: ManagedFieldPurpose { .createdAt }
}

/// The role of ``UpdatedAt``.
public enum UpdatedAtRole: ManagedFieldRole {
    /// A moment.
    public typealias Value = Date
    /// The purpose.
    public static var purpose: ManagedFieldPurpose { .updatedAt }
}

/// The role of ``DeletedAt``.
public enum DeletedAtRole: ManagedFieldRole {
    /// A moment, or none.
    public typealias Value = Date?
    /// The purpose.
    public static var purpose: ManagedFieldPurpose { .deletedAt }
}

/// The role of ``Reference``.
public enum ReferenceRole: ManagedFieldRole {
    /// A prefix and a number.
    public typealias Value = String
    /// The purpose.
    public static var purpose: ManagedFieldPurpose { .reference }
}

/// Whether a change has to name the version that it is based on.
public enum LockRequirement: Sendable {
    /// It may: one that does not is made whatever the version is.
    case optional
    /// It has to: one that does not is refused with 428.
    case required
}

extension ManagedField where Role == VersionRole {
    /// Declares the version.
    ///
    /// - Parameter lock: Whether a change has to name the version that it is based on.
    public init(_ lock: LockRequirement) { self.init(kind: .version(isRequired: lock == .required)) }
}

extension ManagedField where Role == ReferenceRole {
    /// Declares a number for people.
    ///
    /// - Parameter prefix: What stands before it: 1–8 capital letters and digits.
    public init(_ prefix: String) { self.init(kind: .reference(prefix: prefix), limits: FieldLimits(isUnique: true)) }
}

extension ManagedField: ColumnProperty {
    var sqlValue: SQLValue? { wrappedValue.sqlValue }

    init(sqlValue: SQLValue) throws {
        guard let value = Role.Value(sqlValue) else { throw UnreadableValue(type: "\(Role.Value.self)") }
        definition = nil
        wrappedValue = value
    }
}

extension ManagedField: Codable {
    /// Reads the value.
    public init(from decoder: any Decoder) throws {
        definition = nil
        wrappedValue = try Role.Value(from: decoder)
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        try wrappedValue.encode(to: encoder)
    }
}
