// Whoever broadcasts names channels and events: the vocabulary comes along.
@_exported public import struct TidingsWire.BroadcastEvent
@_exported public import struct TidingsWire.ChannelName
@_exported public import struct TidingsWire.EventName
@_exported public import struct TidingsWire.EventPayload
@_exported public import struct TidingsWire.FeedFrame
@_exported public import struct TidingsWire.FeedName
@_exported public import enum TidingsWire.JSONValue
