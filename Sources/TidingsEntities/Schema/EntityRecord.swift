/// An entity as a row of values, in the order of its schema's columns, with its children.
struct EntityRecord: Hashable, Sendable {
    var values: [SQLValue]
    /// By the place of the children among the schema's.
    var children: [[EntityRecord]] = []
}

// MARK: - Between records and structures

extension EntitySchema {
    /// The structure with a record's values.
    ///
    /// - Throws: ``StoreError/Code/schema`` if a column holds what the property's type does not know.
    func decode<Value: FieldSet>(_ type: Value.Type, _ record: EntityRecord) throws -> Value {
        try Value(from: RecordDecoder(layout: layout, children: children, record: record))
    }
}

extension FieldLayout {
    /// The structure with a record's values, of which none is an entity.
    func decode<Value: FieldSet>(_ type: Value.Type, _ values: [SQLValue]) throws -> Value {
        try Value(from: RecordDecoder(layout: self, children: [], record: EntityRecord(values: values)))
    }

    /// The record of a structure's values.
    ///
    /// - Returns: The values by column, nil for those that were given none.
    func encode(_ value: some FieldSet) -> [SQLValue?] {
        var values = [SQLValue?](repeating: nil, count: columns.count)
        for (name, property) in DeclaredProperties.of(value) {
            if let column = property as? any ColumnProperty, let place = place(ofProperty: name) {
                values[place] = column.sqlValue
            }
        }
        return values
    }
}

/// Reads a structure with declared properties from a record: synthesized coding asks for one property after the other.
private struct RecordDecoder: Decoder {
    let layout: FieldLayout
    let children: [ChildSchema]
    let record: EntityRecord
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Container<Key>(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw unsupported() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw unsupported() }

    func unsupported() -> any Error {
        StoreError(.schema, "\(layout.owner) codes itself in a way of its own. Leave coding to the compiler.")
    }

    struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let decoder: RecordDecoder
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { decoder.layout.columns.compactMap { Key(stringValue: $0.property) } }

        func contains(_ key: Key) -> Bool { true }
        func decodeNil(forKey key: Key) throws -> Bool { false }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            if let property = type as? any ColumnProperty.Type,
                let place = decoder.layout.place(ofProperty: key.stringValue)
            {
                return try column(property, at: place)
            }
            guard let property = type as? any ChildrenProperty.Type,
                let place = decoder.children.firstIndex(where: { $0.property == key.stringValue }),
                let children = try property.init(
                    records: decoder.record.children.indices.contains(place) ? decoder.record.children[place] : [],
                    schema: decoder.children[place].schema
                ) as? Value
            else { throw decoder.unsupported() }
            return children
        }

        private func column<Value>(_ property: any ColumnProperty.Type, at place: Int) throws -> Value {
            do {
                guard let value = try property.init(sqlValue: decoder.record.values[place]) as? Value else {
                    throw decoder.unsupported()
                }
                return value
            } catch let error as UnreadableValue {
                let name = decoder.layout.columns[place].name
                throw StoreError(.schema, "\(decoder.layout.owner).\(name) holds a value that is no \(error.type).")
            }
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            throw decoder.unsupported()
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            throw decoder.unsupported()
        }

        func superDecoder() throws -> any Decoder { throw decoder.unsupported() }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw decoder.unsupported() }
    }
}
