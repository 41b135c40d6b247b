extension ServeSettings {
    /// Reads everything and looks whether it goes together.
    ///
    /// - Parameters:
    ///   - file: The path of the file; nil: there is none.
    /// - Throws: ``SettingsErrors``.
    static func read(arguments: [String], environment: [String: String], file: String?) throws -> SettingValues {
        let sources = SettingSources(settings: all)
        let layers = try collect([
            { try sources.commandLine(arguments) },
            { try sources.environment(environment) },
            { try file.map { try sources.file($0) } },
        ])
        let values = try SettingValues(all, from: layers)
        let errors = contradictions(in: values)
        guard errors.isEmpty else { throw SettingsErrors(errors: errors) }
        return values
    }

    /// What is wrong in one place does not hide what is wrong in another.
    private static func collect(_ reads: [() throws -> SettingValues.Layer?]) throws -> [SettingValues.Layer] {
        var (layers, errors): ([SettingValues.Layer], [SettingsError]) = ([], [])
        for read in reads {
            do {
                if let layer = try read() { layers.append(layer) }
            } catch let failure as SettingsErrors {
                errors += failure.errors
            }
        }
        guard errors.isEmpty else { throw SettingsErrors(errors: errors) }
        return layers
    }

    private static func contradictions(in values: SettingValues) -> [SettingsError] {
        var messages: [String] = []
        if values.isSet(certificate) != values.isSet(privateKey) {
            let missing = values.isSet(certificate) ? privateKey : certificate
            messages.append("\(missing.name): not set; tls.certificate and tls.key are set both or none.")
        }
        messages += authenticationContradictions(in: values)
        if values[backend] == .redis, !values.isSet(redisURL) {
            messages.append("redis.url: not set; the backend redis needs it. Allowed: \(redisURL.allowed).")
        }
        if values[backend] == .memory, values.isSet(redisURL) {
            messages.append("backend: \"memory\" does not use redis.url; set backend to redis, or take redis.url away.")
        }
        if values[heartbeatTimeout] <= values[heartbeatInterval] {
            messages.append(
                "heartbeat.timeout: \"\(TimeSpan.write(values[heartbeatTimeout]))\" has to be longer than "
                    + "heartbeat.interval, \(TimeSpan.write(values[heartbeatInterval]))."
            )
        }
        messages += consoleContradictions(in: values)
        if values[metrics], [tokenSecret, publicKey, keySet].contains(where: values.isSet),
            !values.isSet(operatorSecret)
        {
            messages.append(
                "metrics: \"true\" on a server that asks who its clients are; set operators.secret too, for who reads them."
            )
        }
        return messages.map { SettingsError(.contradiction, $0) }
    }

    /// Who may do something else here is no operator for that.
    private static func consoleContradictions(in values: SettingValues) -> [String] {
        guard let secret = values[consoleSecret] else { return [] }
        return [operatorSecret, tokenSecret].filter { values[$0] == secret }.map {
            "console.secret: is the same as \($0.name); the console needs a secret of its own."
        }
    }

    private static func authenticationContradictions(in values: SettingValues) -> [String] {
        let keys: [any AnySetting] = [tokenSecret, publicKey, keySet]
        let known = keys.filter(values.isSet).map(\.name)
        guard known.count < 2 else {
            return ["\(known.joined(separator: ", ")): only one of them says what tokens are signed with."]
        }
        var dependent: [any AnySetting] = [issuer, audience, cookie].filter(values.isSet)
        if !values[publicChannels].isEmpty { dependent.append(publicChannels) }
        if known.isEmpty, let orphan = dependent.first {
            return [
                "\(orphan.name): set on a server that asks for no tokens and lets everybody hear everything; "
                    + "set one of \(keys.map(\.name).joined(separator: ", ")) too."
            ]
        }
        if values[keyAlgorithm] != keyAlgorithm.standard, !values.isSet(publicKey) {
            return ["authentication.algorithm: says what authentication.public_key is for, which is not set."]
        }
        return []
    }
}
