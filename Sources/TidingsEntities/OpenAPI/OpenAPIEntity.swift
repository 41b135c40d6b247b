import TidingsWire

/// An entity, or the children of one, under the names that it has in the document.
struct OpenAPIEntity {
    let schema: EntitySchema
    let children: [(child: ChildSchema, entity: OpenAPIEntity)]
    let shared: SharedComponents
    let record: String
    let create: String
    let update: String
    let list: String
    let transition: String
    let history: String
    let conflict: String
    /// The names of the schemas of choices, by the place of the field.
    let choices: [Int: String]
    /// The names of the schemas of the actions' inputs, by the place of the action; nil for one without input.
    let inputs: [String?]

    init(_ schema: EntitySchema, names: inout OpenAPINames, shared: SharedComponents) {
        self.schema = schema
        self.shared = shared
        record = names.record(schema)
        create = names.take("\(record)Create")
        update = names.take("\(record)Update")
        list = names.take("\(record)List")
        transition = names.take("\(record)Transition")
        history = names.take("\(record)History")
        conflict = names.take("\(record)Conflict")
        var choices: [Int: String] = [:]
        for (place, column) in schema.layout.publicColumns where column.definition.choices != nil {
            choices[place] = names.take(record + FieldName.capitalized(column.name))
        }
        self.choices = choices
        var inputs: [String?] = []
        for action in schema.actions {
            let hasInput = !action.input.publicColumns.isEmpty
            inputs.append(hasInput ? names.take("\(record)\(FieldName.capitalized(action.name))Input") : nil)
        }
        self.inputs = inputs
        var children: [(child: ChildSchema, entity: OpenAPIEntity)] = []
        for child in schema.children {
            children.append((child, OpenAPIEntity(child.schema, names: &names, shared: shared)))
        }
        self.children = children
    }

    /// What one is called in sentences.
    var label: String { FieldName.words(schema.name) }
    /// What several are called in sentences.
    var pluralLabel: String { FieldName.words(schema.plural) }
    /// What its operations are filed under.
    var tagName: String { schema.table }
    /// The path of one.
    var itemPath: String { schema.isSingleton ? "/\(schema.table)" : "/\(schema.table)/{id}" }

    var tag: JSONNode {
        [
            "name": .string(tagName),
            "description": .string(schema.isSingleton ? "The \(label)." : "The \(pluralLabel)."),
        ]
    }
}
