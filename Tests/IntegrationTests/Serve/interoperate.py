"""Publishes and receives through two nodes with nothing but `websockets` and `redis`.

    interoperate.py REDIS_URL PREFIX NODE_URL NODE_URL
"""

import asyncio
import json
import sys

import redis.asyncio
import websockets


async def receive(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 10))


async def subscribe(socket, channel):
    """The plain dialect answers no subscribe; the answer to what follows it comes after it."""
    await socket.send(json.dumps({"subscribe": [channel], "ping": 1}))
    assert await receive(socket) == {"pong": 1}


async def main(url, prefix, *nodes):
    server = redis.asyncio.from_url(url, decode_responses=True)
    async with websockets.connect(nodes[0]) as first, websockets.connect(nodes[1]) as second:
        for socket in (first, second):
            await subscribe(socket, "order")

        # From here to the clients of every node.
        message = {"event": "updated", "payload": {"entity_id": "42", "text": "ü ☃"}}
        assert await server.publish(prefix + "order", json.dumps(message)) == 2
        for socket in (first, second):
            assert await receive(socket) == {"channel": "order", **message}

        # From a client of a node to here, and to the clients of every node.
        listener = server.pubsub()
        await listener.subscribe(prefix + "order")
        await listener.get_message(timeout=120)
        await first.send(json.dumps({"publish": "order", "event": "rung", "payload": {"entity_id": "7"}}))
        for socket in (first, second):
            assert await receive(socket) == {"channel": "order", "event": "rung", "payload": {"entity_id": "7"}}
        heard = None
        while heard is None:
            heard = await listener.get_message(ignore_subscribe_messages=True, timeout=120)
        heard = json.loads(heard["data"])
        assert heard["event"] == "rung" and heard["payload"] == {"entity_id": "7"} and ":" in heard["position"], heard
        await listener.aclose()
    await server.aclose()
    print("fine")


asyncio.run(main(*sys.argv[1:]))
