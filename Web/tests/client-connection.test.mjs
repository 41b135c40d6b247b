import assert from "node:assert/strict";
import { test } from "node:test";
import { BroadcastClient } from "../tidings.js";
import { seededRandom, settle, vectors, World } from "./support.mjs";

test("a client does nothing until it is told to connect", () => {
  const { client, sockets, clock, states } = new World();
  assert.equal(client.state, "disconnected");
  assert.equal(client.failure, null);
  assert.deepEqual([sockets.length, clock.pending.length, states.length], [0, 0, 0]);
});

test("connecting, connected, disconnected", async () => {
  const world = new World();
  world.client.connect();
  assert.equal(world.client.state, "connecting");
  await world.accept();
  assert.equal(world.client.state, "connected");
  world.client.disconnect();
  assert.deepEqual(world.states, ["connecting", "connected", "disconnected"]);
  assert.equal(world.socket.closedWith, 1000);
});

test("a second connect changes nothing", async () => {
  const world = new World();
  world.client.connect();
  world.client.connect();
  await world.accept();
  world.client.connect();
  assert.equal(world.sockets.length, 1);
});

test("a socket that fails without closing is one that is closed", async () => {
  const world = new World();
  world.client.connect();
  world.socket.onerror({});
  assert.equal(world.client.state, "reconnecting");
  // In a browser the close comes too, and counts once.
  world.socket.lose();
  world.clock.advance(500);
  assert.equal(world.sockets.length, 2);
});

test("disconnect stays away, whatever comes late", async () => {
  for (const moment of ["connecting", "connected", "waiting"]) {
    const world = new World();
    world.client.connect();
    if (moment === "connected") await world.accept();
    if (moment === "waiting") world.socket.lose();
    world.client.disconnect();
    world.socket.accept();
    world.socket.lose(1006);
    world.goOnline();
    world.clock.advance(24 * 3_600_000);
    await settle();
    assert.equal(world.client.state, "disconnected", moment);
    assert.equal(world.sockets.length, 1, moment);
    assert.deepEqual(world.clock.pending, [], moment);
  }
});

test("after disconnect, connect starts afresh", async () => {
  const world = new World();
  await world.connect();
  world.client.disconnect();
  await world.connect();
  assert.equal(world.sockets.length, 2);
  assert.deepEqual(world.states, ["connecting", "connected", "disconnected", "connecting", "connected"]);
});

test("what a socket says after it was dropped is not heard", async () => {
  const world = new World();
  const heard = world.listen("order");
  await world.connect();
  const { socket } = world;
  world.client.disconnect();
  heard.length = 0;
  socket.event("order");
  await world.connect();
  socket.event("order");
  socket.lose();
  assert.equal(world.client.state, "connected");
  assert.deepEqual([...heard], ["subscribed", { channel: "order", event: "stale", payload: { reason: "gap" } }]);
});

test("the jitter is full: from nothing to the ceiling of the attempt", () => {
  for (const share of [0, 0.5, 0.75, 127 / 128]) {
    const world = new World();
    world.chance = share;
    world.client.connect();
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]) {
      world.socket.lose();
      assert.deepEqual(world.clock.pending, [ceiling * share]);
      world.clock.advance(ceiling * share);
    }
    assert.equal(world.sockets.length, 9);
  }
});

test("delays are spread over the whole of their range", () => {
  const random = seededRandom(7);
  const delays = [];
  for (let count = 0; count < 400; count++) {
    const world = new World({ random });
    world.client.connect();
    world.socket.lose();
    delays.push(world.clock.pending[0]);
  }
  assert.ok(delays.every((delay) => delay >= 0 && delay < 500));
  for (let quarter = 0; quarter < 4; quarter++) {
    const count = delays.filter((delay) => Math.floor(delay / 125) === quarter).length;
    assert.ok(count > 60, `${count} of 400 in quarter ${quarter}`);
  }
});

test("base and maximum of the backoff are options", () => {
  const world = new World({ backoffBase: 100, backoffMax: 150 });
  world.client.connect();
  for (const delay of [50, 75, 75]) {
    world.socket.lose();
    assert.deepEqual(world.clock.pending, [delay]);
    world.clock.advance(delay);
  }
});

test("what other clients call the same is understood; the name that is its own counts for more", () => {
  for (const [options, delays] of [
    [{ reconnectDelay: 100, reconnectMaxInterval: 150 }, [50, 75, 75]],
    [{ reconnectInterval: 100, reconnectMaxInterval: 150 }, [50, 75, 75]],
    [{ reconnectDelay: 9_000, backoffBase: 100, backoffMax: 150, reconnectMaxInterval: 1 }, [50, 75, 75]],
    [{ maxReconnectAttempts: 1 }, [250]],
    [{ maxReconnectAttempts: 9, maxAttempts: 1 }, [250]],
    [{ reconnect: true, maxAttempts: 1 }, [250]],
    [{ reconnect: false, maxAttempts: 9 }, []],
  ]) {
    const world = new World(options);
    world.client.connect();
    for (const delay of delays) {
      world.socket.lose();
      assert.deepEqual(world.clock.pending, [delay], JSON.stringify(options));
      world.clock.advance(delay);
    }
    const isLimited = "maxAttempts" in options || "maxReconnectAttempts" in options;
    world.socket.lose();
    assert.equal(world.client.state, isLimited ? "failed" : "reconnecting", JSON.stringify(options));
  }
});

test("three hours without a server, and it still tries", async () => {
  const world = new World();
  world.client.connect();
  while (world.clock.now < 3 * 3_600_000) world.loseAndRetry();
  assert.equal(world.client.state, "reconnecting");
  await world.accept();
  assert.equal(world.client.state, "connected");
  assert.deepEqual(world.states, ["connecting", "reconnecting", "connected"]);
});

test("the backoff starts again after a connection was up", async () => {
  const world = new World();
  world.client.connect();
  for (let count = 0; count < 5; count++) world.loseAndRetry();
  await world.accept();
  world.socket.lose();
  assert.deepEqual(world.clock.pending, [250]);
});

test("a server that accepts and closes at once sees longer and longer delays", () => {
  const world = new World();
  world.client.connect();
  for (const delay of [250, 500, 1_000, 2_000]) {
    world.socket.accept();
    world.socket.lose(1013);
    assert.deepEqual(world.clock.pending, [delay]);
    world.clock.advance(delay);
  }
});

test("when the network is back the client tries at once, and from the start", () => {
  const world = new World();
  world.client.connect();
  for (let count = 0; count < 6; count++) world.loseAndRetry();
  world.socket.lose();
  const before = world.sockets.length;
  world.goOnline();
  assert.equal(world.sockets.length, before + 1);
  world.socket.lose();
  assert.deepEqual(world.clock.pending, [250]);
});

test("when the network is back under a connection, it is put to the test", async () => {
  const world = new World();
  await world.connect();
  const before = world.socket.pings.length;
  world.goOnline();
  world.goOnline();
  assert.equal(world.socket.pings.length, before + 1);
  world.clock.advance(10_000);
  assert.equal(world.client.state, "reconnecting");
});

test("the network is listened to only while a connection is wanted", async () => {
  const listeners = new Set();
  const network = {
    addEventListener: (_, listener) => listeners.add(listener),
    removeEventListener: (_, listener) => listeners.delete(listener),
  };
  const world = new World({ network });
  const counts = [listeners.size];
  for (const action of [
    () => world.connect(),
    () => world.client.disconnect(),
    () => world.connect(),
    () => world.reconnect(),
    () => world.socket.lose(4501),
  ]) {
    await action();
    counts.push(listeners.size);
  }
  assert.deepEqual(counts, [0, 1, 0, 1, 1, 0]);
});

test("a page without a network to listen to does without", async () => {
  const world = new World({ network: null });
  await world.connect();
  world.client.disconnect();
  assert.equal(world.client.state, "disconnected");
});

test("connect while waiting makes the next attempt now", async () => {
  const world = new World();
  await world.connect();
  world.socket.lose();
  world.client.connect();
  assert.equal(world.sockets.length, 2);
  assert.equal(world.client.state, "reconnecting");
});

test("an attempt that hangs is given up", () => {
  const world = new World({ connectTimeout: 4_000 });
  world.client.connect();
  world.clock.advance(3_999);
  assert.equal(world.client.state, "connecting");
  world.clock.advance(1);
  assert.equal(world.client.state, "reconnecting");
  assert.equal(world.socket.closedWith, 1000);
  world.clock.advance(250);
  assert.equal(world.sockets.length, 2);
});

test("with a limit, the client gives up after so many attempts to reconnect", () => {
  const world = new World({ maxAttempts: 3 });
  world.client.connect();
  for (let count = 0; count < 3; count++) world.loseAndRetry();
  world.socket.lose();
  assert.equal(world.sockets.length, 4);
  assert.equal(world.client.state, "failed");
  assert.equal(world.client.failure.reason, "attempts_exhausted");
  world.goOnline();
  assert.equal(world.sockets.length, 4);
});

const giveUp = new Set(["report", "stay_away", "await_token"]);

for (const { code, advice } of (await vectors("close-codes")).filter(({ sent_by: sender }) => sender === "server")) {
  test(`closed by the server with ${code}: ${advice}`, async () => {
    const world = new World();
    await world.connect();
    world.socket.lose(code, "because");
    if (giveUp.has(advice)) {
      assert.equal(world.client.state, "failed");
      assert.deepEqual(world.client.failure, { reason: advice, code, message: "because" });
      assert.deepEqual(world.clock.pending, []);
    } else {
      assert.equal(world.client.state, "reconnecting");
      assert.deepEqual(world.clock.pending, [advice === "reconnect_longest" ? 10_000 : 250]);
    }
  });
}

test("the failure names the code when the server gave no reason, and goes with the next connect", async () => {
  const world = new World();
  const failures = [];
  world.client.onStateChange((state, failure) => failures.push([state, failure?.code ?? null]));
  await world.connect();
  world.socket.lose(4500);
  assert.match(world.client.failure.message, /4500/);
  world.client.connect();
  assert.equal(world.client.failure, null);
  await world.accept();
  assert.deepEqual(failures.slice(2), [["failed", 4500], ["connecting", null], ["connected", null]]);
});

test("an address that the browser refuses fails, and says why", () => {
  const world = new World({ url: "not an address" });
  world.client.connect();
  assert.equal(world.client.state, "failed");
  assert.equal(world.client.failure.reason, "unopenable");
  assert.notEqual(world.client.failure.message, "");
  assert.deepEqual(world.clock.pending, []);
});

test("the address is made of the page's, with the scheme that belongs to it", (t) => {
  t.after(() => delete globalThis.location);
  for (const [page, url, expected] of [
    ["http://bistro.test:8080/kitchen?table=7#top", undefined, "ws://bistro.test:8080/ws/broadcast"],
    ["https://bistro.test/kitchen", undefined, "wss://bistro.test/ws/broadcast"],
    ["https://bistro.test/a/b", "/live", "wss://bistro.test/live"],
    ["https://bistro.test/", "http://other.test/ws?x=1#y", "ws://other.test/ws?x=1"],
    ["https://bistro.test/", new URL("wss://other.test/ws"), "wss://other.test/ws"],
  ]) {
    globalThis.location = { href: page };
    const world = new World({ url });
    world.client.connect();
    assert.equal(world.socket.url, expected);
  }
});

test("an address that is a function is asked before each attempt", async () => {
  let token = 0;
  const world = new World({ url: () => `ws://bistro.test/?token=${++token}` });
  await world.connect();
  await world.reconnect(4003);
  assert.deepEqual(world.sockets.map(({ url }) => url), ["ws://bistro.test/?token=1", "ws://bistro.test/?token=2"]);
});

test("numbers out of range are refused", () => {
  for (const options of [
    { backoffBase: -1 },
    { backoffMax: Infinity },
    { heartbeatInterval: 0 },
    { heartbeatTimeout: "soon" },
    { connectTimeout: NaN },
    { maxAttempts: -1 },
    { maxReconnectAttempts: -1 },
    { reconnectDelay: "soon" },
    { dialects: ["tidings.v2"] },
  ]) {
    assert.throws(() => new BroadcastClient(options), RangeError, JSON.stringify(options));
  }
});

test("every listener hears every change in the same order, also of changes that a listener makes", () => {
  const world = new World();
  const first = [];
  const second = [];
  world.client.onStateChange((state) => {
    first.push(state);
    if (state === "connecting") world.client.disconnect();
  });
  world.client.onStateChange((state) => second.push(state));
  world.client.connect();
  assert.deepEqual(first, ["connecting", "disconnected"]);
  assert.deepEqual(second, first);
  assert.deepEqual(world.states, first);
});

test("a listener that throws does not keep the others from hearing", () => {
  const world = new World();
  const heard = [];
  world.client.onStateChange(() => {
    throw new Error("broken");
  });
  world.client.onStateChange((state) => heard.push(state));
  world.client.connect();
  assert.deepEqual(heard, ["connecting"]);
  assert.deepEqual(world.errors.map(({ message }) => message), ["broken"]);
});

test("a listener is removed once, and only itself", () => {
  const world = new World();
  const heard = [];
  const listener = (state) => heard.push(state);
  const remove = world.client.onStateChange(listener);
  world.client.onStateChange(listener);
  remove();
  remove();
  world.client.connect();
  assert.deepEqual(heard, ["connecting"]);
  assert.throws(() => world.client.onStateChange(null), TypeError);
});
