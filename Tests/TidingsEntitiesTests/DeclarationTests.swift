import Foundation
import Testing
import TidingsEntities

/// Declarations that cannot be served, and what is said about them.
@Suite("Declarations")
struct DeclarationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let types: [any Entity.Type]
        let faults: [String]
        var testDescription: String { faults.first ?? "nothing is wrong" }

        init(_ types: any Entity.Type..., faults: String...) {
            self.types = types
            self.faults = faults
        }
    }

    @Test("are told everything that is wrong, by entity and field", arguments: cases)
    func faults(_ test: Case) async throws {
        try await StoreProvider.sqlite.run { database in
            let store = try database.store()
            let error = #expect(throws: EntityDeclarationError.self) { try Entities(test.types, in: store) }
            #expect(error?.faults == test.faults)
            let lines = ["The entities cannot be served:"] + test.faults.map { "  - \($0)" }
            #expect(error?.description == lines.joined(separator: "\n"))
        }
    }

    @Test("without a fault are served")
    func sound() async throws {
        try await StoreProvider.sqlite.run { database in
            let store = try database.store()
            let entities = try Entities(Bench.restaurant, in: store)
            #expect(entities.services.map(\.name) == ["order", "dish", "seat", "settings"])
            #expect(entities.services.map(\.path) == ["orders", "dishes", "seats", "settings"])
            #expect(entities.services.map(\.isSingleton) == [false, false, false, true])
            #expect(entities.services.map(\.children) == [["items"], [], [], []])
            #expect(entities.services.map(\.actions) == [["move_table", "hide", "merge", "tidy"], [], [], []])
            #expect(entities.services.map(\.hasStates) == [true, false, false, false])
            #expect(try Entities([Holiday.self], in: store).services.map(\.path) == ["holidays"])
        }
    }

    static let cases: [Case] = [
        // Names.
        Case(
            Ünsound.self,
            faults: "ünsound: an entity's name is small letters, digits and underscores, at most 48 of them.",
            "ünsound: its plural \"ünsounds\" is not small letters, digits and underscores."
        ),
        Case(Box.self, faults: "box: \"boxs\" is no English plural. Declare `static let plural`."),
        Case(City.self, faults: "city: \"citys\" is no English plural. Declare `static let plural`."),
        Case(Sheep.self, faults: "sheep: its plural is its name. Declare another one."),
        Case(
            BadPlural.self,
            faults: "bad_plural: its plural \"Bad Plurals\" is not small letters, digits and underscores."
        ),
        Case(
            OutboxEvent.self,
            faults: "outbox_event: its table \"sync_outbox\" is one of Tidings' or the database's own."
        ),
        Case(Crate.self, Crate.self, faults: "crate: two entities have this name."),
        Case(
            Crate.self,
            Chest.self,
            faults: "chest and crate: they have the same table \"crates\". Declare another plural."
        ),
        // Properties.
        Case(
            WithoutKey.self,
            faults: "without_key.id: it is stored but not declared. Put @Field before it, or compute it.",
            "without_key: it has no `@Key var id: UUID`."
        ),
        Case(DoubleKey.self, faults: "double_key.other: there is @Key already, and an entity has one at most."),
        Case(
            DoubleVersion.self,
            faults: "double_version.second: there is @Version already, and an entity has one at most."
        ),
        Case(DoubleState.self, faults: "double_state.second: there is a state already, and an entity has one at most."),
        Case(
            Undeclared.self,
            faults: "undeclared.note: it is stored but not declared. Put @Field before it, or compute it."
        ),
        Case(
            SameName.self,
            faults: "same_name.order_id: orderID and orderId have the same name in tables and JSON. Rename one."
        ),
        Case(
            BadField.self,
            faults:
                "bad_field.a123456789012345678901234567890123456789012345678: a field's name is small letters, digits and underscores, at most 48 of them."
        ),
        Case(
            Reserved.self,
            faults: "reserved.limit: lists take \"limit\" as a parameter of their own. Rename the field."
        ),
        // Limits and defaults.
        Case(
            BadLimit.self,
            faults:
                "bad_limit.length: a length cannot be negative.",
            "bad_limit.range: nothing is within its limits: its least is above its greatest.",
            "bad_limit.pattern: its pattern is no regular expression.",
            "bad_limit.hidden: it is excluded, so that no request can give it. Make it optional or give it a default.",
            "bad_limit.short: its default does not fit: it has 1–3 characters.",
            "bad_limit.many: its default does not fit: it is at most 5."
        ),
        Case(NoChoice.self, faults: "no_choice.kind: its choices are empty or not all different."),
        Case(
            WrongReference.self,
            faults: "wrong_reference.reference: a reference's prefix is 1–8 capital letters and digits."
        ),
        Case(
            BlankReference.self,
            faults: "blank_reference.reference: a reference's prefix is 1–8 capital letters and digits."
        ),
        // States.
        Case(
            Unreachable.self,
            faults:
                "unreachable.state: nothing leads from \"open\" to \"lost\": declare a transition or remove the state."
        ),
        Case(SelfTransition.self, faults: "self_transition.state: \"open\" has a transition to itself."),
        Case(DoubleTransition.self, faults: "double_transition.state: \"open\" names a transition twice."),
        Case(
            UnknownState.self,
            faults:
                "unknown_state.state: its initial state \"start\" is none of its states.",
            "unknown_state.state: a transition of \"open\" names \"gone\", which is none of its states.",
            "unknown_state.state: nothing leads from \"start\" to \"open\": declare a transition or remove the state."
        ),
        Case(
            WrongStateDefault.self,
            faults: "wrong_state_default.state: its default is not its initial state. Leave the default out."
        ),
        Case(OptionalState.self, faults: "optional_state.state: a state cannot be optional."),
        Case(
            HiddenState.self,
            faults: "hidden_state.state: a state is told and changes. Remove .syncExclude, .redacted and .fixed."
        ),
        // References.
        Case(Referrer.self, faults: "referrer.crate_id: it references \"crate\", which is not among the entities."),
        Case(
            CircleA.self,
            CircleB.self,
            faults:
                "circle_a: its references lead back to it (circle_b, circle_a). Leave .references out of one of them."
        ),
        // Singletons.
        Case(
            BadSingleton.self,
            faults:
                "bad_singleton.name: a singleton is there from the start. Give the field a default.",
            "bad_singleton: a singleton is always there. Remove @DeletedAt.",
            "bad_singleton: there is nothing to count. Remove @Reference."
        ),
        // Children.
        Case(
            BadParent.self,
            faults:
                "bad_child.bad_parent_id: a child's table has a column of this name already. Remove the field or rename it.",
            "bad_child: children have the version of their parent. Remove @Version.",
            "bad_child: children go for good. Remove @DeletedAt.",
            "bad_child: children have no actions. Declare them at the parent.",
            "bad_parent.history: its path is taken by something else. Give the children another name."
        ),
        Case(
            GrandParent.self,
            faults: "parent.pages: children of children are not possible. Make it an entity with a reference."
        ),
        Case(SameChildren.self, faults: "page: two entities have this name."),
        Case(ChildField.self, faults: "child_field.pages_id: a field and its children have the same name. Rename one."),
        Case(SingletonParent.self, faults: "singleton_child: children cannot be singletons."),
        // Actions.
        Case(
            BadActions.self,
            faults:
                "bad_input.state: an action's input has fields only, and no states. Declare it with @Field.",
            "bad_input.version: an action's input has fields only, and no states. Declare it with @Field.",
            "bad_actions.Bad-Name: an action's name is small letters, digits and underscores.",
            "bad_actions.transition: its path is taken by something else. Give the action another name.",
            "bad_actions.transition: its path is taken by something else. Give the action another name."
        ),
        // Channels.
        Case(NoChannels.self, faults: "no_channels: nobody is told of its changes. Declare a channel."),
        Case(
            BadChannels.self,
            faults:
                "bad_channels.secret: an excluded field cannot be part of a channel's name.",
            "bad_channels.note: \"a:b\" cannot begin a channel's name.",
            "bad_channels.note: \"a b\" cannot begin a channel's name."
        ),
    ]
}

// MARK: - Sound ones that others need

private struct Crate: Entity { @Key var id: UUID }
private struct Page: Entity { @Key var id: UUID }
private struct Holiday: Entity { @Key var id: UUID }

// MARK: - Names

private struct Ünsound: Entity { @Key var id: UUID }
private struct Box: Entity { @Key var id: UUID }
private struct City: Entity { @Key var id: UUID }
private struct Sheep: Entity {
    static let plural = "sheep"
    @Key var id: UUID
}
private struct BadPlural: Entity {
    static let plural = "Bad Plurals"
    @Key var id: UUID
}
private struct OutboxEvent: Entity {
    static let plural = "sync_outbox"
    @Key var id: UUID
}
private struct Chest: Entity {
    static let plural = "crates"
    @Key var id: UUID
}

// MARK: - Properties

private struct WithoutKey: Entity { var id = UUID() }
private struct DoubleKey: Entity {
    @Key var id: UUID
    @Key var other: UUID
}
private struct DoubleVersion: Entity {
    @Key var id: UUID
    @Version var first: Int
    @Version var second: Int
}
private struct DoubleState: Entity {
    @Key var id: UUID
    @Field var first: Order.Status
    @Field var second: Order.Status
}
private struct Undeclared: Entity {
    @Key var id: UUID
    var note = ""
    var length: Int { note.count }
}
private struct SameName: Entity {
    @Key var id: UUID
    @Field var orderID = ""
    @Field var orderId = ""
}
private struct BadField: Entity {
    @Key var id: UUID
    @Field var a123456789012345678901234567890123456789012345678 = 0
}
private struct Reserved: Entity {
    @Key var id: UUID
    @Field var limit = 0
}

// MARK: - Limits and defaults

private struct BadLimit: Entity {
    @Key var id: UUID
    @Field(.length(-1...3)) var length: String
    @Field(.atLeast(5), .atMost(4)) var range: Int
    @Field(.pattern("[a")) var pattern: String
    @Field(.syncExclude) var hidden: String
    @Field(.length(1...3)) var short = "too long"
    @Field(.atMost(5)) var many = 6
    @Field(.trimmed, .length(1...3)) var sound = " abc "
}
private struct Nothing: FieldChoice {
    let rawValue: String
    static let allCases: [Nothing] = []
    typealias Base = Nothing
}
private struct NoChoice: Entity {
    @Key var id: UUID
    @Field var kind: Nothing
}
private struct WrongReference: Entity {
    @Key var id: UUID
    @Reference("ord") var reference: String
}
private struct BlankReference: Entity {
    @Key var id: UUID
    @Reference var reference: String
}

// MARK: - States

private enum Lost: String, EntityState {
    case open, closed, lost
    static let states = EntityStates<Lost>(initial: .open, [.open: [.closed]])
}
private struct Unreachable: Entity {
    @Key var id: UUID
    @Field var state: Lost
}
private enum Itself: String, EntityState {
    case open
    static let states = EntityStates<Itself>(initial: .open, [.open: [.open]])
}
private struct SelfTransition: Entity {
    @Key var id: UUID
    @Field var state: Itself
}
private enum Twice: String, EntityState {
    case open, closed
    static let states = EntityStates<Twice>(initial: .open, [.open: [.closed, .closed]])
}
private struct DoubleTransition: Entity {
    @Key var id: UUID
    @Field var state: Twice
}
/// States whose cases are not known to the compiler.
private struct Loose: EntityState {
    let rawValue: String
    typealias Base = Loose
    static let open = Loose(rawValue: "open")
    static let allCases = [open]
    static let states = EntityStates<Loose>(initial: Loose(rawValue: "start"), [open: [Loose(rawValue: "gone")]])
}
private struct UnknownState: Entity {
    @Key var id: UUID
    @Field var state: Loose
}
private struct WrongStateDefault: Entity {
    @Key var id: UUID
    @Field var state = Order.Status.ready
}
private struct OptionalState: Entity {
    @Key var id: UUID
    @Field var state: Order.Status?
}
private struct HiddenState: Entity {
    @Key var id: UUID
    @Field(.syncExclude) var state: Order.Status
}

// MARK: - References

private struct Referrer: Entity {
    @Key var id: UUID
    @Field(.references(Crate.self)) var crateID: UUID
}
private struct CircleA: Entity {
    @Key var id: UUID
    @Field(.references(CircleB.self)) var other: UUID?
}
private struct CircleB: Entity {
    @Key var id: UUID
    @Field(.references(CircleA.self)) var other: UUID?
    @Field(.references(CircleB.self)) var itself: UUID?
}

// MARK: - Singletons and children

private struct BadSingleton: Entity {
    static let isSingleton = true
    @Key var id: UUID
    @Field var name: String
    @Reference("X") var reference: String
    @DeletedAt var deletedAt: Date?
}
private struct BadChild: Entity {
    static let plural = "bad_children"
    @Key var id: UUID
    @Field var badParentID = ""
    @Version var version: Int
    @DeletedAt var deletedAt: Date?
    static var actions: [any EntityAction<BadChild>.Type] { [Touch.self] }

    struct Touch: EntityAction {
        func perform(on child: inout BadChild, in unit: UnitOfWork) throws {}
    }
}
private struct BadParent: Entity {
    @Key var id: UUID
    @Children var history: [BadChild]
}
private struct Parent: Entity {
    @Key var id: UUID
    @Children var pages: [Page]
}
private struct GrandParent: Entity {
    @Key var id: UUID
    @Children var parents: [Parent]
}
private struct SameChildren: Entity {
    static let plural = "parents_of_same"
    @Key var id: UUID
    @Children var pages: [Page]
    @Children var covers: [Page]
}
private struct ChildField: Entity {
    @Key var id: UUID
    @Field var pagesID = 0
    @Children var pagesId: [Page]
}
private struct SingletonChild: Entity {
    static let isSingleton = true
    @Key var id: UUID
}
private struct SingletonParent: Entity {
    @Key var id: UUID
    @Children var settings: [SingletonChild]
}

// MARK: - Actions and channels

private struct BadActions: Entity {
    static let plural = "bad_actions_all"
    @Key var id: UUID
    static var actions: [any EntityAction<BadActions>.Type] {
        [BadInput.self, BadName.self, Taken.self, TakenToo.self]
    }

    struct BadInput: EntityAction {
        @Field var state: Order.Status
        @Version var version: Int
        func perform(on subject: inout BadActions, in unit: UnitOfWork) throws {}
    }
    struct BadName: EntityAction {
        static let name = "Bad-Name"
        func perform(on subject: inout BadActions, in unit: UnitOfWork) throws {}
    }
    struct Taken: EntityAction {
        static let name = "transition"
        func perform(on subject: inout BadActions, in unit: UnitOfWork) throws {}
    }
    struct TakenToo: EntityAction {
        static let name = "transition"
        func perform(on subject: inout BadActions, in unit: UnitOfWork) throws {}
    }
}
private struct NoChannels: Entity {
    static let plural = "no_channels_all"
    @Key var id: UUID
    static let broadcast = EntityBroadcast<NoChannels>(channels: [])
}
private struct BadChannels: Entity {
    static let plural = "bad_channels_all"
    @Key var id: UUID
    @Field var note: String?
    @Field(.syncExclude) var secret: String?
    static let broadcast = EntityBroadcast<BadChannels>(
        channels: [.each(\.$secret), .each(\.$note, as: "a:b"), .each(\.$note, as: "a b")]
    )
}
