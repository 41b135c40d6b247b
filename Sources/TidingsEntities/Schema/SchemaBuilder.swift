import TidingsBroadcast

/// Why declarations cannot be served: everything that is wrong with them.
public struct EntityDeclarationError: Error, Sendable, CustomStringConvertible {
    /// Each fault in a sentence that names entity, field and what is wrong.
    public let faults: [String]

    /// The faults, one on each line.
    public var description: String {
        "The entities cannot be served:\n" + faults.map { "  - \($0)" }.joined(separator: "\n")
    }
}

/// Turns declarations into schemas, and says everything that is wrong with them.
struct SchemaBuilder {
    private(set) var faults: [String] = []

    static func schemas(of entities: [any Entity.Type]) throws(EntityDeclarationError) -> [EntitySchema] {
        var builder = SchemaBuilder()
        let schemas = entities.map { builder.schema(of: $0, parent: nil) }
        builder.checkTogether(schemas)
        guard builder.faults.isEmpty else { throw EntityDeclarationError(faults: builder.faults) }
        return schemas
    }

    private mutating func schema<Subject: Entity>(of type: Subject.Type, parent: ParentReference?) -> EntitySchema {
        let prototype = Subject()
        checkNames(of: type)
        let layout = layout(of: prototype, owner: Subject.name)
        let roles = roles(of: layout.columns, owner: Subject.name)
        let children = children(of: prototype, parent: parent == nil ? type : nil)
        checkShape(of: type, columns: layout.columns, roles: roles, children: children, parent: parent)
        let actions = Subject.actions.map { ActionSchema($0, input: input(of: $0)) }
        checkActions(actions, of: type, children: children)
        return EntitySchema(
            name: Subject.name,
            plural: Subject.tableName,
            isSingleton: Subject.isSingleton,
            layout: layout,
            children: children,
            roles: roles,
            hooks: EntityHooks(prototype: prototype),
            telling: telling(of: prototype, layout: layout),
            actions: actions,
            parent: parent
        )
    }

    /// The fields of an action's input.
    private mutating func input(of type: any EntityAction.Type) -> FieldLayout {
        let layout = layout(of: type.init(), owner: type.name)
        for column in layout.columns {
            if case .field = column.definition.kind, column.definition.states == nil { continue }
            fault(type.name, column.name, "an action's input has fields only, and no states. Declare it with @Field")
        }
        return layout
    }

    /// What has the same name as something else, in the order of names.
    private static func doubles<Element>(
        _ elements: [Element],
        by name: (Element) -> String
    ) -> [(name: String, elements: [Element])] {
        Dictionary(grouping: elements, by: name).filter { $1.count > 1 }
            .map { (name: $0, elements: $1) }.sorted { $0.name < $1.name }
    }

    private mutating func fault(_ owner: String, _ sentence: String) {
        faults.append("\(owner): \(sentence).")
    }

    private mutating func fault(_ owner: String, _ field: String, _ sentence: String) {
        faults.append("\(owner).\(field): \(sentence).")
    }
}

// MARK: - Properties

extension SchemaBuilder {
    private mutating func layout(of prototype: some FieldSet, owner: String) -> FieldLayout {
        var columns: [EntityColumn] = []
        for (property, declared) in DeclaredProperties.all(of: prototype) {
            guard let declared, let definition = declared.definition else {
                fault(owner, property, "it is stored but not declared. Put @Field before it, or compute it")
                continue
            }
            if case .children = definition.kind { continue }
            let column = EntityColumn(property: property, name: FieldName.snakeCase(property), definition: definition)
            check(column, of: owner)
            columns.append(column)
        }
        for (name, columns) in Self.doubles(columns, by: \.name) {
            let properties = columns.map(\.property).joined(separator: " and ")
            fault(owner, name, "\(properties) have the same name in tables and JSON. Rename one")
        }
        return FieldLayout(owner: owner, columns: columns)
    }

    private mutating func check(_ column: EntityColumn, of owner: String) {
        let (name, limits) = (column.name, column.limits)
        if !FieldName.isSound(name) {
            fault(owner, name, "a field's name is small letters, digits and underscores, at most 48 of them")
        }
        if Self.reservedNames.contains(name) {
            fault(owner, name, "lists take \"\(name)\" as a parameter of their own. Rename the field")
        }
        if let length = limits.length, length.lowerBound < 0 { fault(owner, name, "a length cannot be negative") }
        if FieldCheck.isEmpty(limits) {
            fault(owner, name, "nothing is within its limits: its least is above its greatest")
        }
        if let pattern = limits.pattern, (try? FieldCheck.expression(pattern)) == nil {
            fault(owner, name, "its pattern is no regular expression")
        }
        if limits.isSyncExcluded, column.isRequired {
            fault(owner, name, "it is excluded, so that no request can give it. Make it optional or give it a default")
        }
        if let choices = column.definition.choices, Set(choices).count != choices.count || choices.isEmpty {
            fault(owner, name, "its choices are empty or not all different")
        }
        if let machine = column.definition.states {
            for sentence in machine.faults { fault(owner, name, sentence) }
            if column.isNullable { fault(owner, name, "a state cannot be optional") }
            if limits.isSyncExcluded || limits.isRedacted || limits.isFixed {
                fault(owner, name, "a state is told and changes. Remove .syncExclude, .redacted and .fixed")
            }
            if let initial = column.definition.initial, initial != .null, initial != .text(machine.initial) {
                fault(owner, name, "its default is not its initial state. Leave the default out")
            }
        }
        if let initial = column.definition.initial, initial != .null, column.definition.states == nil {
            if let failing = FieldCheck.fault(of: column.normal(initial), in: column) {
                fault(owner, name, "its default does not fit: it \(failing.message)")
            }
        }
        if case .reference(let prefix) = column.definition.kind {
            let isSound = (1...8).contains(prefix.utf8.count) && prefix.utf8.allSatisfy(Self.isReferenceByte)
            if !isSound { fault(owner, name, "a reference's prefix is 1–8 capital letters and digits") }
        }
    }

    /// Parameters of lists.
    static let reservedNames: Set<String> = ["sort", "limit", "cursor"]

    private static func isReferenceByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private mutating func roles(of columns: [EntityColumn], owner: String) -> ColumnRoles {
        var roles = ColumnRoles()
        var seen: Set<String> = []
        for (place, column) in columns.enumerated() {
            var role: String?
            switch column.definition.kind {
            case .key: (roles.key, role) = (place, "@Key")
            case .reference(let prefix): (roles.reference, role) = ((place, prefix), "@Reference")
            case .version(let isRequired):
                (roles.version, roles.isVersionRequired, role) = (place, isRequired, "@Version")
            case .createdAt: (roles.createdAt, role) = (place, "@CreatedAt")
            case .updatedAt: (roles.updatedAt, role) = (place, "@UpdatedAt")
            case .deletedAt: (roles.deletedAt, role) = (place, "@DeletedAt")
            case .field, .children:
                if let machine = column.definition.states {
                    (roles.state, role) = ((place, machine), "a state")
                }
            }
            if let role, !seen.insert(role).inserted {
                fault(owner, column.name, "there is \(role) already, and an entity has one at most")
            }
        }
        return roles
    }

    private mutating func children<Subject: Entity>(of prototype: Subject, parent: Subject.Type?) -> [ChildSchema] {
        let owner = Subject.name
        return DeclaredProperties.of(prototype).compactMap { property, declared in
            guard case .children(let type) = declared.definition?.kind else { return nil }
            let name = FieldName.snakeCase(property)
            guard let parent else {
                fault(owner, name, "children of children are not possible. Make it an entity with a reference")
                return nil
            }
            if !FieldName.isSound(name) {
                fault(owner, name, "a name is small letters, digits and underscores, at most 48 of them")
            }
            let schema = schema(of: type, parent: ParentReference(name: owner, table: parent.tableName))
            let prefix = owner + "_"
            let singular = schema.name.hasPrefix(prefix) ? String(schema.name.dropFirst(prefix.count)) : schema.name
            let limit = declared.definition?.limits.maximum?.integer ?? 0
            if limit < 1 { fault(owner, name, "there can be at least one child. Allow more, or remove it") }
            return ChildSchema(property: property, name: name, singular: singular, limit: limit, schema: schema)
        }
    }
}

// MARK: - The whole

extension SchemaBuilder {
    private mutating func checkNames<Subject: Entity>(of type: Subject.Type) {
        let owner = Subject.name
        if !FieldName.isSound(owner) {
            fault(owner, "an entity's name is small letters, digits and underscores, at most 48 of them")
        }
        guard !Subject.isSingleton else { return }
        if !FieldName.isSound(Subject.plural) {
            fault(owner, "its plural \"\(Subject.plural)\" is not small letters, digits and underscores")
        }
        let irregular = ["s", "x", "z", "ch", "sh", "y"].contains { owner.hasSuffix($0) }
        let isVowelBeforeY = ["ay", "ey", "oy", "uy"].contains { owner.hasSuffix($0) }
        if Subject.plural == owner + "s", irregular, !isVowelBeforeY {
            fault(owner, "\"\(owner)s\" is no English plural. Declare `static let plural`")
        }
        if Subject.plural == owner { fault(owner, "its plural is its name. Declare another one") }
    }

    private mutating func checkShape<Subject: Entity>(
        of type: Subject.Type,
        columns: [EntityColumn],
        roles: ColumnRoles,
        children: [ChildSchema],
        parent: ParentReference?
    ) {
        let owner = Subject.name
        let keys = columns.filter { if case .key = $0.definition.kind { true } else { false } }
        if keys.first?.name != "id" { fault(owner, "it has no `@Key var id: UUID`") }
        for child in children {
            if columns.contains(where: { $0.name == child.name }) {
                fault(owner, child.name, "a field and its children have the same name. Rename one")
            }
            if Self.subpaths.contains(child.name) {
                fault(owner, child.name, "its path is taken by something else. Give the children another name")
            }
        }
        if let parent {
            for name in [parent.column, TableDefinition.ordinal] where columns.contains(where: { $0.name == name }) {
                fault(owner, name, "a child's table has a column of this name already. Remove the field or rename it")
            }
            if roles.version != nil { fault(owner, "children have the version of their parent. Remove @Version") }
            if roles.deletedAt != nil { fault(owner, "children go for good. Remove @DeletedAt") }
            if !Subject.actions.isEmpty { fault(owner, "children have no actions. Declare them at the parent") }
            if Subject.isSingleton { fault(owner, "children cannot be singletons") }
        }
        if Subject.isSingleton {
            for column in columns where column.isRequired {
                fault(owner, column.name, "a singleton is there from the start. Give the field a default")
            }
            if roles.deletedAt != nil { fault(owner, "a singleton is always there. Remove @DeletedAt") }
            if roles.reference != nil { fault(owner, "there is nothing to count. Remove @Reference") }
        }
    }

    /// Paths under an entity's that are there without being declared.
    private static let subpaths: Set<String> = ["transition", "history"]

    private mutating func checkActions(_ actions: [ActionSchema], of type: any Entity.Type, children: [ChildSchema]) {
        var names = Self.subpaths.union(children.map(\.name))
        for action in actions {
            if !FieldName.isSound(action.name) {
                fault(type.name, action.name, "an action's name is small letters, digits and underscores")
            }
            if !names.insert(action.name).inserted {
                fault(type.name, action.name, "its path is taken by something else. Give the action another name")
            }
        }
    }

    private mutating func checkTogether(_ schemas: [EntitySchema]) {
        let all = schemas + schemas.flatMap { $0.children.map(\.schema) }
        for (name, _) in Self.doubles(all, by: \.name) { fault(name, "two entities have this name") }
        for (table, schemas) in Self.doubles(all, by: \.table) {
            let names = Set(schemas.map(\.name)).sorted()
            if names.count > 1 {
                let list = names.joined(separator: " and ")
                fault(list, "they have the same table \"\(table)\". Declare another plural")
            }
        }
        for schema in all where SystemTables.isReserved(schema.table) {
            fault(schema.name, "its table \"\(schema.table)\" is one of Tidings' or the database's own")
        }
        let names = Set(schemas.map(\.name))
        for schema in all {
            for column in schema.columns {
                guard let other = column.limits.references, !names.contains(other.name) else { continue }
                fault(schema.name, column.name, "it references \"\(other.name)\", which is not among the entities")
            }
        }
        for schema in schemas {
            if let path = circle(from: schema, among: schemas) {
                let names = path.joined(separator: ", ")
                fault(schema.name, "its references lead back to it (\(names)). Leave .references out of one of them")
            }
        }
    }

    /// The entities through which references lead from one back to it; nil if they do not, or only from it to itself. Of a
    /// circle the entity is told whose name comes first.
    private func circle(from schema: EntitySchema, among schemas: [EntitySchema]) -> [String]? {
        func targets(_ schema: EntitySchema) -> [String] {
            ([schema] + schema.children.map(\.schema)).flatMap(\.columns).compactMap { $0.limits.references?.name }
                .filter { $0 != schema.name }
        }
        var seen: Set<String> = []
        var open = targets(schema).map { [$0] }
        while let path = open.popLast() {
            guard let name = path.last else { continue }
            if name == schema.name { return path.dropLast().contains { $0 < name } ? nil : path }
            guard seen.insert(name).inserted, let next = schemas.first(where: { $0.name == name }) else { continue }
            open += targets(next).map { path + [$0] }
        }
        return nil
    }
}

// MARK: - Channels

extension SchemaBuilder {
    private mutating func telling<Subject: Entity>(of prototype: Subject, layout: FieldLayout) -> EntityTelling {
        let (broadcast, columns) = (Subject.broadcast, layout.columns)
        let channels = broadcast.channels.compactMap { channel -> EntityTelling.Channel? in
            switch channel.source {
            case .all: return .all
            case .one: return .one
            case .each(let prefix, let definition):
                guard let place = layout.place(of: definition(prototype)) else {
                    fault(Subject.name, "a channel is of a field that is not one of its own")
                    return nil
                }
                if columns[place].limits.isSyncExcluded {
                    fault(Subject.name, columns[place].name, "an excluded field cannot be part of a channel's name")
                }
                let prefix = prefix ?? columns[place].name
                if (try? ChannelName(prefix)) == nil || prefix.contains(":") || prefix.utf8.count > 64 {
                    fault(Subject.name, columns[place].name, "\"\(prefix)\" cannot begin a channel's name")
                }
                return .each(prefix: prefix, place: place)
            }
        }
        if channels.isEmpty { fault(Subject.name, "nobody is told of its changes. Declare a channel") }
        return EntityTelling(
            channels: channels,
            payload: broadcast.payload,
            delivery: broadcast.delivery,
            events: broadcast.events,
            topicNames: broadcast.topicNames
        )
    }
}
