import TidingsWire

extension ClientMessage {
    /// What a server reads when a client writes this: the parts of all texts together.
    func asRead(in dialect: Dialect) throws -> ClientMessage {
        try dialect.encode(self).reduce(into: ClientMessage()) { whole, text in
            let part = try dialect.decodeClientMessage(text)
            whole.id = part.id ?? whole.id
            whole.authentication = part.authentication ?? whole.authentication
            whole.subscribe += part.subscribe
            whole.since.merge(part.since) { $1 }
            whole.unreadableSince.formUnion(part.unreadableSince)
            whole.unsubscribe += part.unsubscribe
            whole.ping = part.ping ?? whole.ping
            whole.publish = part.publish ?? whole.publish
            whole.refused += part.refused
        }
    }
}
