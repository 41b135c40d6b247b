import HTTPTypes
public import Hummingbird
import NIOCore
import TidingsBroadcast
public import TidingsEntities
import TidingsWire

extension RouterMethods {
    /// Adds the routes of entities: `GET /orders`, `PATCH /orders/{id}` and so on, for each of them.
    ///
    /// ```swift
    /// let router = Router()
    /// router.addEntities(entities)
    /// ```
    ///
    /// - Parameters:
    ///   - entities: The entities. Call `prepare()` before requests come.
    ///   - endpoints: How the routes are served.
    public func addEntities(_ entities: Entities, endpoints: EntityEndpoints = EntityEndpoints()) {
        for service in entities.services {
            EntityRoutes(service: service, endpoints: endpoints).add(to: self)
        }
        guard let path = endpoints.openAPIPath else { return }
        let description = ByteBuffer(bytes: entities.openAPI(endpoints.openAPIInfo, security: endpoints.security))
        get(path) { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/json", .cacheControl: "no-cache"],
                body: ResponseBody(byteBuffer: description)
            )
        }
    }
}

extension EntityEndpoints {
    fileprivate var security: OpenAPIDocument.Security {
        guard authenticator != nil else { return .none }
        return requiresToken ? .bearer : .optionalBearer
    }
}

/// The routes of one kind of entity.
struct EntityRoutes {
    let service: EntityService
    let endpoints: EntityEndpoints

    func add(to router: some RouterMethods) {
        let collection = RouterPath("/" + service.path)
        // One that there is only one of is found without an identifier.
        let item = service.isSingleton ? collection : RouterPath("/\(service.path)/:id")
        var resources: [Resource] = []
        var itemResource = Resource(item)
        if !service.isSingleton { resources.append(collectionResource(collection)) }
        itemResource.methods[.get] = read { try await service.get($0.id, as: $0.identity) }
        itemResource.methods[.patch] = change { try await service.update($0.id, $1) }
        if !service.isSingleton { itemResource.methods[.delete] = change { try await service.delete($0.id, $1) } }
        resources.append(itemResource)
        resources.append(
            Resource(
                "\(item)/history",
                [.get: read { try await service.history(of: $0.id, $0.parameters, as: $0.identity) }]
            )
        )
        if service.hasStates {
            resources.append(
                Resource("\(item)/transition", [.post: change { try await service.transition($0.id, $1) }])
            )
        }
        resources += service.children.flatMap { childResources($0, under: item) }
        resources += service.actions.map { action in
            Resource("\(item)/\(action)", [.post: change { try await service.perform(action, on: $0.id, $1) }])
        }
        for resource in resources { resource.add(to: router) }
    }

    private func collectionResource(_ path: RouterPath) -> Resource {
        Resource(
            path,
            [
                .get: read { try await service.list($0.parameters, as: $0.identity) },
                .post: change { try await service.create($1) },
            ]
        )
    }

    private func childResources(_ name: String, under item: RouterPath) -> [Resource] {
        let one = Resource(
            "\(item)/\(name)/:child",
            [
                .patch: change { try await service.updateChild(name, $0.childID, of: $0.id, $1) },
                .delete: change { try await service.removeChild(name, $0.childID, of: $0.id, $1) },
            ]
        )
        return [Resource("\(item)/\(name)", [.post: change { try await service.addChild(name, of: $0.id, $1) }]), one]
    }

    private func read(_ body: @escaping @Sendable (EntityRequest) async throws -> EntityAnswer) -> Resource.Handler {
        { request, context in
            let entityRequest = try await EntityRequest(request, context, endpoints)
            let answer = try await Problem.translating(context.logger) { try await body(entityRequest) }
            return try answer.response(to: request)
        }
    }

    private func change(
        _ body: @escaping @Sendable (EntityRequest, EntityCall) async throws -> EntityAnswer
    ) -> Resource.Handler {
        { request, context in
            let entityRequest = try await EntityRequest(request, context, endpoints)
            let call = try await entityRequest.call(request, context, endpoints)
            let answer = try await Problem.translating(context.logger) { try await body(entityRequest, call) }
            return try answer.response(to: request)
        }
    }
}

/// What there is under one path. Methods that it does not have are answered with 405.
private struct Resource {
    /// Those that are asked for now and then; `QUERY` is a safe method that has a body.
    private static let knownMethods =
        [HTTPRequest.Method.get, .post, .put, .patch, .delete, .trace]
        + (HTTPRequest.Method("QUERY").map { [$0] } ?? [])

    typealias Handler = @Sendable (Request, any RequestContext) async throws -> Response

    let path: RouterPath
    var methods: [HTTPRequest.Method: Handler]

    init(_ path: RouterPath, _ methods: [HTTPRequest.Method: Handler] = [:]) {
        self.path = path
        self.methods = methods
    }

    init(_ path: String, _ methods: [HTTPRequest.Method: Handler]) {
        self.init(RouterPath(path), methods)
    }

    func add(to router: some RouterMethods) {
        for (method, handler) in methods {
            router.on(path, method: method) { request, context in try await handler(request, context) }
        }
        let allowed = methods.keys.map(\.rawValue).sorted().joined(separator: ", ")
        for method in Self.knownMethods where methods[method] == nil {
            router.on(path, method: method) { _, _ -> Response in
                throw Problem(
                    .methodNotAllowed,
                    code: "method_not_allowed",
                    detail: "This path takes \(allowed).",
                    headers: [.allow: allowed]
                )
            }
        }
    }
}
