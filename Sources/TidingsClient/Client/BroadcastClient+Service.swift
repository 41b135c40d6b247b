public import ServiceLifecycle

extension BroadcastClient: Service {
    /// Keeps the client connected until the task is cancelled, the service is asked to shut down, or
    /// ``disconnect()`` is called; then it is disconnected.
    ///
    /// - Throws: ``BroadcastClientError`` when the client has given up.
    public func run() async throws {
        connect()
        defer { disconnect() }
        var wasWanted = false
        for await state in stateChanges.cancelOnGracefulShutdown() {
            switch state {
            case .failed(let error) where wasWanted: throw error
            case .disconnected where wasWanted: return
            // How an earlier run ended.
            case .failed, .disconnected: break
            case .connecting, .connected, .reconnecting: wasWanted = true
            }
        }
    }
}
