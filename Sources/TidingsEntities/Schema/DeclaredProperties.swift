/// The stored properties of a structure whose properties are declared with wrappers.
enum DeclaredProperties {
    /// Names and values, in the order of declaration; those that are not declared have no value.
    static func all(of value: some FieldSet) -> [(name: String, property: (any DeclaredProperty)?)] {
        Mirror(reflecting: value).children.compactMap { label, value in
            guard let label else { return nil }
            guard let property = value as? any DeclaredProperty else { return (label, nil) }
            // The compiler stores what a wrapper holds under the property's name with an underscore before it.
            return (label.hasPrefix("_") ? String(label.dropFirst()) : label, property)
        }
    }

    static func of(_ value: some FieldSet) -> [(name: String, property: any DeclaredProperty)] {
        all(of: value).compactMap { name, property in property.map { (name, $0) } }
    }
}
