import TidingsBroadcast

// Binds the application's code, which speaks of its structures, to schemas, which speak of records.

extension EntityHooks {
    init<Subject: Entity>(prototype: Subject) {
        validate = { schema, record in
            var faults = FieldFaults<Subject>(prototype: prototype, layout: schema.layout)
            try schema.decode(Subject.self, record).validate(&faults)
            return faults.all
        }
        check = { schema, change, unit in
            let typed = EntityChange(
                operation: change.operation,
                old: try change.old.map { try schema.decode(Subject.self, $0) },
                new: try change.new.map { try schema.decode(Subject.self, $0) },
                identity: change.identity
            )
            try Subject.check(typed, in: unit)
        }
        scope = { schema, identity in
            RowScope(Subject.scope(of: identity).rule, prototype: prototype, layout: schema.layout)
        }
        authorize = { schema, identity, operation, record in
            let subject = try record.map { try schema.decode(Subject.self, $0) }
            return Subject.authorize(identity, to: operation, subject)
        }
    }
}

extension RowScope {
    /// A scope that speaks of a field that is not the entity's own has nothing in it.
    fileprivate init<Subject: Entity>(_ rule: EntityScope<Subject>.Rule, prototype: Subject, layout: FieldLayout) {
        switch rule {
        case .all: self = .all
        case .none: self = .none
        case .values(let definition, let values):
            guard let place = layout.place(of: definition(prototype)) else {
                self = .none
                return
            }
            self = .values(place: place, values.map(layout.columns[place].normal))
        case .every(let rules):
            self = .every(rules.map { RowScope($0, prototype: prototype, layout: layout) })
        }
    }
}

extension ActionSchema {
    init<Action: EntityAction>(_ type: Action.Type, input: FieldLayout) {
        name = Action.name
        self.input = input
        perform = { schema, values, record, unit in
            var subject = try schema.decode(Action.Subject.self, record)
            try input.decode(Action.self, values).perform(on: &subject, in: unit)
            return schema.layout.encode(subject)
        }
    }
}
