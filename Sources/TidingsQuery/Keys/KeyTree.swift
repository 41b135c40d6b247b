/// Values by key, with everything below a key found without looking at the rest.
struct KeyTree<Value> {
    /// A place on the path of some key. Only the tree that made it touches it.
    private final class Node {
        var value: Value?
        var children: [QueryKey.Segment: Node] = [:]

        var isEmpty: Bool { value == nil && children.isEmpty }
    }

    private let root = Node()
    private(set) var count = 0

    subscript(key: QueryKey) -> Value? {
        var node = root
        for segment in key.segments {
            guard let child = node.children[segment] else { return nil }
            node = child
        }
        return node.value
    }

    mutating func insert(_ value: Value, for key: QueryKey) {
        var node = root
        for segment in key.segments {
            if let child = node.children[segment] {
                node = child
            } else {
                let child = Node()
                node.children[segment] = child
                node = child
            }
        }
        if node.value == nil { count += 1 }
        node.value = value
    }

    /// Takes a value out, and the places that only it needed.
    @discardableResult
    mutating func remove(_ key: QueryKey) -> Value? {
        var path: [Node] = [root]
        for segment in key.segments {
            guard let child = path[path.count - 1].children[segment] else { return nil }
            path.append(child)
        }
        let removed = path[path.count - 1].value
        path[path.count - 1].value = nil
        if removed != nil { count -= 1 }
        for (parent, segment) in zip(path.dropLast(), key.segments).reversed() {
            guard parent.children[segment]?.isEmpty == true else { break }
            parent.children[segment] = nil
        }
        return removed
    }

    /// Calls a function with everything at or below a key.
    func forEach(under prefix: QueryKey, _ body: (Value) -> Void) {
        Self.visit(root, prefix.segments[...], body)
    }

    private static func visit(_ node: Node, _ pattern: ArraySlice<QueryKey.Segment>, _ body: (Value) -> Void) {
        guard let first = pattern.first else {
            if let value = node.value { body(value) }
            for child in node.children.values { visit(child, [], body) }
            return
        }
        if first.isExact {
            if let child = node.children[first] { visit(child, pattern.dropFirst(), body) }
        } else {
            for (segment, child) in node.children where segment.matches(first) {
                visit(child, pattern.dropFirst(), body)
            }
        }
    }
}
