// A client is made of these three: what each of them can do comes along.
@_exported public import TidingsClient
@_exported public import TidingsHTTPTransport
@_exported public import TidingsQuery
