import Logging

extension QueryClient {
    /// The life of a mutation, from its first function to its last.
    func perform<Input, Output>(_ run: MutationRun<Input, Output>) async {
        let context = MutationContext(run.identity, run.changes, client: self)
        let result: Result<Output, any Error>
        do {
            try await run.mutation.mutating(run.input, context)
            await store(run.identifier)
            let output = try await attempt(run, context)
            guard finish(run, nil) else { return }
            run.changes.settle(isConfirmed: true, in: self)
            withCache { $0.leaveResumption(run.identifier, by: self) }
            try await run.mutation.succeeded(output, run.input, context)
            try await run.mutation.settled(.success(output), run.input, context)
            result = .success(output)
        } catch {
            guard finish(run, error) else { return }
            run.changes.settle(isConfirmed: false, in: self)
            withCache { $0.leaveResumption(run.identifier, by: self) }
            await reportFailure(error, of: run, context)
            result = .failure(error)
        }
        await end(run, result)
    }

    /// - Returns: Whether it was not discarded meanwhile.
    private func finish<Input, Output>(_ run: MutationRun<Input, Output>, _ error: (any Error)?) -> Bool {
        withCache { cache in
            let epoch = cache.epoch
            return cache.changeMutation(run.identifier) { $0.machine.finish(error, at: epoch) } != nil
        }
    }

    /// An error of these functions does not take the place of the mutation's own.
    private func reportFailure<Input, Output>(
        _ error: any Error,
        of run: MutationRun<Input, Output>,
        _ context: MutationContext
    ) async {
        do {
            try await run.mutation.failed(error, run.input, context)
        } catch {
            configuration.logger.warning("onError of a mutation threw: \(error)")
        }
        do {
            try await run.mutation.settled(.failure(error), run.input, context)
        } catch {
            configuration.logger.warning("onSettled of a mutation threw: \(error)")
        }
    }

    private func end<Input, Output>(_ run: MutationRun<Input, Output>, _ result: Result<Output, any Error>) async {
        let isConfirmed = if case .success = result { true } else { false }
        run.changes.close(isConfirmed: isConfirmed, in: self)
        if isConfirmed { await forget(run.identifier) } else { await store(run.identifier) }
        withCache { cache in
            // The result is there when its observers hear of it.
            let ticket = run.ticket
            cache.effects.notify { ticket.resolve(result) }
            cache.endMutation(run.identifier, isConfirmed: isConfirmed, by: self)
        }
    }

    private func attempt<Input, Output>(
        _ run: MutationRun<Input, Output>,
        _ context: MutationContext
    ) async throws -> Output {
        let options = run.mutation.options
        while true {
            try await waitToSend(run)
            do {
                return try await run.mutation.function(run.input, context)
            } catch {
                try Task.checkCancellation()
                let failures = withCache { cache in
                    cache.mutations.index(of: run.identifier).map { cache.mutations.items[$0].machine.failures } ?? 0
                }
                guard let wait = options.retry.wait(after: error, failures: failures, random: randomNumber()) else {
                    throw error
                }
                let moment = time.now + wait
                withCache { cache in
                    cache.changeMutation(run.identifier) { $0.machine.retry(at: moment, after: error) }
                    cache.leaveResumption(run.identifier, by: self)
                }
                try await time.sleep(until: moment)
            }
        }
    }

    /// Waits until the mutation may be sent: online, and first in its scope.
    private func waitToSend<Input, Output>(_ run: MutationRun<Input, Output>) async throws {
        while true {
            let isSent = withCache { $0.send(run.identifier, run.mutation.options.networkMode, by: self) }
            guard let isSent else { throw CancellationError() }
            if isSent { return }
            await run.gate.wait()
            try Task.checkCancellation()
        }
    }
}
