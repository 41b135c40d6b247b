import HTTPTypes
import Hummingbird
import NIOCore
import TidingsEntities
import TidingsWire

extension EntityAnswer {
    /// The answer over HTTP.
    func response(to request: Request) throws -> Response {
        var headers: HTTPFields = [.cacheControl: "no-cache"]
        headers[.eTag] = entityTag
        headers[.tidingsPosition] = position?.description
        if let createdID { headers[.location] = request.uri.path + "/" + createdID }
        if kind == .found, let entityTag, let known = request.headers[.ifNoneMatch],
            !Set(EntityTags.weak(known)).isDisjoint(with: ["*", entityTag])
        {
            return Response(status: .notModified, headers: headers)
        }
        guard kind != .deleted else { return Response(status: .noContent, headers: headers) }
        headers[.contentType] = "application/json"
        return Response(
            status: kind == .created ? .created : .ok,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: json))
        )
    }
}
