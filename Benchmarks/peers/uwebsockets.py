"""The load tool's job on uWebSockets, through its Python binding socketify; its own publish does the work.

Prints its ws:// URL once it listens on a free port of the loopback interface.
"""

import json
import socket

from socketify import App, OpCode

PATH = "/ws/broadcast"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    app = App()

    def on_message(connection, text, opcode):
        message = json.loads(text)
        for channel in message.get("subscribe", ()):
            connection.subscribe(channel)
        if "publish" in message:
            event = {"channel": message["publish"], "event": "updated", "payload": message["payload"]}
            app.publish(message["publish"], json.dumps(event, separators=(",", ":")), OpCode.TEXT)
        if "ping" in message:
            connection.send(json.dumps({"pong": message["ping"]}), OpCode.TEXT)

    settings = {
        "compression": 0,
        "idle_timeout": 120,
        "max_payload_length": 128 * 1024,
        "max_backpressure": 64 * 1024 * 1024,
        "message": on_message,
    }
    app.ws(PATH, settings)
    port = free_port()
    app.listen(
        {"host": "127.0.0.1", "port": port},
        lambda _: print(f"ws://127.0.0.1:{port}{PATH}", flush=True),
    )
    app.run()


main()
