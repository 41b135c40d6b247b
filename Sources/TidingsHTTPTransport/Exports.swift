// Requests are described in the words of HTTPTypes: the vocabulary comes along.
@_exported public import HTTPTypes
