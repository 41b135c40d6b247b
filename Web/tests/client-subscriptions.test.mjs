import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom, settle, World } from "./support.mjs";

const stale = (channel) => ({ channel, event: "stale", payload: { reason: "gap" } });

test("a subscription is made with a ping behind it, and delivers", async () => {
  const world = new World();
  const heard = [];
  world.client.subscribe("order", (event) => heard.push(event));
  await world.connect();
  assert.deepEqual(world.socket.sent, [{ subscribe: ["order"], ping: 1 }]);
  world.socket.event("order", "item_added", { entity_id: "42", item_id: "7" });
  assert.deepEqual(heard, [{ channel: "order", event: "item_added", payload: { entity_id: "42", item_id: "7" } }]);
});

test("events arrive in the server's order, each at the channel that it names", async () => {
  const world = new World();
  const order = world.listen("order");
  const table = world.listen("table:7");
  await world.connect();
  for (let number = 0; number < 6; number++) {
    world.socket.event(number % 2 ? "order" : "table:7", "updated", { number });
  }
  world.socket.event("orders");
  world.socket.event("order:1");
  assert.deepEqual(order.slice(1).map(({ payload }) => payload.number), [1, 3, 5]);
  assert.deepEqual(table.slice(1).map(({ payload }) => payload.number), [0, 2, 4]);
});

test("a server's stale is an event like any other", async () => {
  const world = new World();
  const heard = world.listen("order");
  await world.connect();
  world.socket.event("order", "stale", { reason: "lagged" });
  assert.deepEqual(heard.at(-1), { channel: "order", event: "stale", payload: { reason: "lagged" } });
});

test("frames that mean nothing do no harm", async () => {
  const world = new World();
  const heard = world.listen("order");
  await world.connect();
  for (const frame of ["", "hello", "[]", "null", '{"welcome":{}}', '{"channel":"order"}', '{"pong":"x"}']) {
    world.socket.say(frame);
  }
  world.socket.onmessage({ data: new ArrayBuffer(4) });
  world.socket.event("order");
  assert.equal(heard.length, 2);
  assert.deepEqual(world.errors, []);
});

test("the server is told of the first user of a channel and of the last", async () => {
  const world = new World();
  await world.connect();
  const first = world.listen("order");
  await settle();
  const second = world.listen("order");
  await settle();
  assert.deepEqual(world.socket.subscribed, ["order"]);
  first.end();
  first.end();
  await settle();
  assert.deepEqual(world.socket.unsubscribed, []);
  world.socket.event("order");
  assert.deepEqual([first.length, second.length], [0, 1]);
  second.end();
  await settle();
  assert.deepEqual(world.socket.unsubscribed, ["order"]);
  world.socket.event("order");
  assert.deepEqual([first.length, second.length], [0, 1]);
});

test("the same handler twice is two subscriptions", async () => {
  const world = new World();
  let count = 0;
  const handler = () => (count += 1);
  const end = world.client.subscribe("order", handler);
  world.client.subscribe("order", handler);
  await world.connect();
  world.socket.event("order");
  assert.equal(count, 2);
  end();
  world.socket.event("order");
  assert.equal(count, 3);
});

test("what is subscribed in one go is one message", async () => {
  const world = new World();
  await world.connect();
  world.socket.sent.length = 0;
  for (const channel of ["a", "b", "c"]) world.listen(channel);
  world.listen("d").end();
  await settle();
  assert.deepEqual(world.socket.sent, [{ subscribe: ["a", "b", "c"], ping: 2 }]);
});

test("a subscription that is handed over in one go is not noticed by the server", async () => {
  const world = new World();
  const first = world.listen("order");
  await world.connect();
  world.socket.sent.length = 0;
  first.end();
  const second = world.listen("order");
  await settle();
  assert.deepEqual(world.socket.sent, []);
  assert.deepEqual([...second], ["subscribed"]);
});

test("channels are given up before others are asked for: the server may be full", async () => {
  const world = new World();
  const old = world.listen("old");
  await world.connect();
  world.socket.sent.length = 0;
  world.listen("new");
  old.end();
  await settle();
  assert.deepEqual(world.socket.sent, [{ unsubscribe: ["old"] }, { subscribe: ["new"], ping: 2 }]);
});

test("subscribed while connecting: made as soon as the connection is open", async () => {
  const world = new World();
  world.client.connect();
  const heard = world.listen("order");
  await settle();
  assert.deepEqual(world.socket.sent, []);
  await world.accept();
  assert.deepEqual(world.socket.sent, [{ subscribe: ["order"], ping: 1 }]);
  assert.deepEqual([...heard], ["subscribed"], "a first connection leaves no gap");
});

test("unsubscribed while connecting: never made", async () => {
  const world = new World();
  world.client.connect();
  world.listen("order").end();
  await world.accept();
  assert.deepEqual(world.socket.sent, [{ ping: 1 }]);
});

test("after a reconnect everything is subscribed in one message, and stale once that is in force", async () => {
  const world = new World();
  const order = world.listen("order");
  const twice = world.listen("order");
  const table = world.listen("table:7");
  await world.connect();
  for (const heard of [order, twice, table]) heard.length = 0;
  world.socket.lose(1012);
  world.clock.advance(250);
  world.socket.accept();
  assert.deepEqual(world.socket.sent, [{ subscribe: ["order", "table:7"], ping: 1 }]);
  assert.deepEqual([order.length, twice.length, table.length], [0, 0, 0], "not before the server has answered");
  world.socket.pong();
  assert.deepEqual([...order], ["subscribed", stale("order")]);
  assert.deepEqual([...twice], ["subscribed", stale("order")]);
  assert.deepEqual([...table], ["subscribed", stale("table:7")]);
});

test("every reconnect leaves a gap, and says so once", async () => {
  const world = new World();
  const heard = world.listen("order");
  await world.connect();
  for (let count = 0; count < 3; count++) {
    await world.reconnect();
    world.clock.advance(25_000);
    world.socket.pong();
  }
  assert.equal(heard.filter(({ event }) => event === "stale").length, 3);
});

test("a first connection that took several attempts leaves a gap", async () => {
  const world = new World();
  const heard = world.listen("order");
  world.client.connect();
  world.socket.lose();
  world.clock.advance(250);
  await world.accept();
  assert.deepEqual([...heard], ["subscribed", stale("order")]);
});

test("a connection lost before the server had answered still leaves its gap to the next one", async () => {
  const world = new World();
  const heard = world.listen("order");
  await world.connect();
  world.socket.lose();
  world.clock.advance(250);
  world.socket.accept();
  await world.reconnect();
  assert.deepEqual([...heard], ["subscribed", "subscribed", stale("order")]);
});

test("a channel that is subscribed after a reconnect has no gap", async () => {
  const world = new World();
  await world.connect();
  await world.reconnect();
  const heard = world.listen("order");
  await settle();
  world.socket.pong();
  assert.deepEqual([...heard], ["subscribed"]);
});

test("events that come between the reconnect and the answer are delivered", async () => {
  const world = new World();
  const heard = world.listen("order");
  await world.connect();
  heard.length = 0;
  world.socket.lose();
  world.clock.advance(250);
  world.socket.accept();
  world.socket.event("order", "created");
  world.socket.pong();
  assert.deepEqual(heard.map((each) => each.event ?? each), ["created", "subscribed", "stale"]);
});

test("unsubscribed while offline: neither subscribed again nor stale", async () => {
  const world = new World();
  const gone = world.listen("gone");
  const kept = world.listen("kept");
  await world.connect();
  world.socket.lose();
  gone.end();
  world.clock.advance(250);
  await world.accept();
  assert.deepEqual(world.socket.sent, [{ subscribe: ["kept"], ping: 1 }]);
  assert.deepEqual([...gone], ["subscribed"]);
  assert.deepEqual(kept.at(-1), stale("kept"));
});

test("subscribed while offline: made by the reconnect", async () => {
  const world = new World();
  await world.connect();
  world.socket.lose();
  const heard = world.listen("order");
  world.clock.advance(250);
  await world.accept();
  assert.deepEqual(world.socket.subscribed, ["order"]);
  assert.deepEqual(heard.at(-1), stale("order"));
});

test("subscriptions outlive a disconnect; the next connect makes them again and is a gap", async () => {
  const world = new World();
  const heard = world.listen("order");
  await world.connect();
  world.client.disconnect();
  await world.connect();
  assert.deepEqual(world.socket.subscribed, ["order"]);
  assert.deepEqual([...heard], ["subscribed", "subscribed", stale("order")]);
});

test("onSubscribed: later, once in force; at once when the server holds the channel already", async () => {
  const world = new World();
  await world.connect();
  const first = world.listen("order");
  await settle();
  assert.deepEqual([...first], []);
  world.socket.pong();
  assert.deepEqual([...first], ["subscribed"]);
  const second = world.listen("order");
  assert.deepEqual([...second], [], "not while subscribe runs");
  await settle();
  assert.deepEqual([...second], ["subscribed"]);
  const third = world.listen("order");
  third.end();
  await settle();
  assert.deepEqual([...third], []);
});

test("onSubscribed waits for the answer to its own subscribe, not to one that came before", async () => {
  const world = new World();
  await world.connect();
  const first = world.listen("a");
  await settle();
  const second = world.listen("b");
  await settle();
  assert.deepEqual(world.socket.pings, [1, 2, 3]);
  world.socket.say({ pong: 2 });
  assert.deepEqual([first.length, second.length], [1, 0]);
  world.socket.say({ pong: 3 });
  assert.deepEqual([first.length, second.length], [1, 1]);
});

test("a channel that was left and asked for again waits for the newer answer", async () => {
  const world = new World();
  await world.connect();
  const first = world.listen("order");
  await settle();
  first.end();
  await settle();
  const second = world.listen("order");
  await settle();
  assert.deepEqual(world.socket.pings, [1, 2, 3]);
  world.socket.say({ pong: 2 });
  assert.deepEqual([...second], []);
  world.socket.say({ pong: 3 });
  assert.deepEqual([...second], ["subscribed"]);
});

test("a handler that throws breaks neither the others nor the connection", async () => {
  const world = new World();
  const heard = [];
  const broken = () => {
    throw new Error("broken");
  };
  world.client.subscribe("order", broken, { onSubscribed: broken });
  world.client.subscribe("order", (event) => heard.push(event.event));
  await world.connect();
  world.socket.event("order", "created");
  world.socket.event("order", "updated");
  assert.deepEqual(heard, ["created", "updated"]);
  assert.equal(world.errors.length, 3);
  assert.equal(world.client.state, "connected");
});

test("without an option, what a handler throws goes to reportError, or to the console", async (t) => {
  const reported = [];
  const before = globalThis.reportError;
  t.after(() => (globalThis.reportError = before));
  t.mock.method(console, "error", (error) => reported.push(["console", error.message]));
  for (const place of ["window", "console"]) {
    globalThis.reportError = place === "window" ? (error) => reported.push(["window", error.message]) : undefined;
    const world = new World({ reportError: undefined });
    world.client.subscribe("order", () => {
      throw new Error("broken");
    });
    await world.connect();
    world.socket.event("order");
  }
  assert.deepEqual(reported, [["window", "broken"], ["console", "broken"]]);
});

test("a handler that ends another's subscription is obeyed within the same event", async () => {
  const world = new World();
  const heard = [];
  let end = null;
  world.client.subscribe("order", () => end());
  end = world.client.subscribe("order", () => heard.push("second"));
  await world.connect();
  world.socket.event("order");
  assert.deepEqual(heard, []);
});

test("a handler that subscribes does not give the event to the new one", async () => {
  const world = new World();
  const heard = [];
  world.client.subscribe("order", () => world.client.subscribe("order", () => heard.push("new")));
  await world.connect();
  world.socket.event("order");
  assert.deepEqual(heard, []);
  world.socket.event("order");
  assert.deepEqual(heard, ["new"]);
});

test("nothing is heard after a handler has disconnected, also not by those behind it", async () => {
  const world = new World();
  const heard = [];
  world.client.subscribe("order", () => world.client.disconnect(), { onSubscribed: () => heard.push("in force") });
  world.client.subscribe("order", () => heard.push("behind"));
  await world.connect();
  world.socket.event("order");
  world.socket.event("order");
  assert.deepEqual(heard, ["in force"]);
  assert.equal(world.client.state, "disconnected");
});

test("onSubscribed may disconnect", async () => {
  const world = new World();
  const heard = [];
  world.client.subscribe("a", () => heard.push("a"), { onSubscribed: () => world.client.disconnect() });
  world.client.subscribe("b", () => heard.push("b"), { onSubscribed: () => heard.push("b in force") });
  await world.connect();
  assert.deepEqual(heard, []);
  assert.deepEqual(world.clock.pending, []);
});

test("a refused channel is reported, not confirmed, and asked for again on the next connection", async () => {
  const world = new World();
  const refusals = [];
  world.client.onError((error) => refusals.push(error));
  const secret = world.listen("secret");
  const order = world.listen("order");
  world.client.connect();
  world.socket.accept();
  const refusal = { code: "forbidden", message: "This channel is not open to you.", channel: "secret" };
  world.socket.say({ error: refusal });
  world.socket.pong();
  assert.deepEqual(refusals, [refusal]);
  assert.deepEqual([[...secret], [...order]], [[], ["subscribed"]]);
  await world.reconnect();
  assert.deepEqual(world.socket.subscribed, ["secret", "order"]);
  assert.deepEqual([...secret], ["subscribed", stale("secret")]);
});

test("a new user of a refused channel makes the client ask again", async () => {
  const world = new World();
  const first = world.listen("secret");
  world.client.connect();
  world.socket.accept();
  world.socket.say({ error: { code: "too_many_channels", message: "", channel: "secret" } });
  world.socket.pong();
  world.listen("secret");
  await settle();
  world.socket.pong();
  assert.deepEqual(world.socket.subscribed, ["secret", "secret"]);
  assert.deepEqual([...first], ["subscribed"]);
});

test("a refused channel is left without a word", async () => {
  const world = new World();
  const secret = world.listen("secret");
  world.client.connect();
  world.socket.accept();
  world.socket.say({ error: { code: "forbidden", message: "", channel: "secret" } });
  world.socket.pong();
  secret.end();
  await settle();
  assert.deepEqual(world.socket.unsubscribed, []);
});

test("errors about no channel, or about one that nobody holds, are reported too", async () => {
  const world = new World();
  const codes = [];
  const remove = world.client.onError(({ code, channel }) => codes.push([code, channel]));
  await world.connect();
  world.socket.say({ error: { code: "rate_limited", message: "Slow down." } });
  world.socket.say({ error: { code: "bad_channel", message: "", channel: "x" } });
  remove();
  world.socket.say({ error: { code: "rate_limited", message: "Slow down." } });
  assert.deepEqual(codes, [["rate_limited", null], ["bad_channel", "x"]]);
});

test("a subscribe that the server never answers ends in a reconnect", async () => {
  const world = new World();
  await world.connect();
  const heard = world.listen("order");
  await settle();
  world.socket.say({ error: { code: "rate_limited", message: "Slow down." } });
  world.clock.advance(10_000);
  assert.equal(world.client.state, "reconnecting");
  world.clock.advance(20_000);
  await world.accept();
  assert.deepEqual([...heard], ["subscribed", stale("order")]);
});

test("what is no channel and what is no handler is refused at once", () => {
  const { client } = new World();
  for (const channel of ["", "my order", "a".repeat(256), "tab\t", null, undefined]) {
    assert.throws(() => client.subscribe(channel, () => {}), TypeError);
  }
  for (const handler of [undefined, null, "handler", {}]) {
    assert.throws(() => client.subscribe("order", handler), TypeError);
  }
});

test("a feed's value is told to whoever comes later, once, and not behind a newer one", async () => {
  const world = new World();
  await world.connect();
  const values = (heard) => heard.map(({ payload }) => payload.data);
  const listen = (channel) => {
    const heard = [];
    world.client.subscribe(channel, (event) => heard.push(event));
    return heard;
  };
  const [feed, order] = [listen("feed:status"), listen("order")];
  await settle();
  world.socket.pong();
  world.socket.event("feed:status", "update", { data: 1 });
  world.socket.event("order", "update", { data: 1 });
  const [laterFeed, laterOrder] = [listen("feed:status"), listen("order")];
  await settle();
  assert.deepEqual([values(feed), values(laterFeed), values(order), values(laterOrder)], [[1], [1], [1], []]);
  const last = listen("feed:status");
  world.socket.event("feed:status", "update", { data: 2 });
  await settle();
  assert.deepEqual([values(feed), values(laterFeed), values(last)], [[1, 2], [1, 2], [2]]);
});

test("as many channels as a server allows, with the longest names: no message near its limit", async () => {
  const world = new World();
  const channels = Array.from({ length: 256 }, (_, index) => `${index}:`.padEnd(255, "x"));
  for (const channel of channels) world.listen(channel);
  await world.connect();
  await world.reconnect();
  assert.deepEqual(world.socket.subscribed, channels);
  const { sent } = world.socket;
  for (const message of sent) assert.ok(Buffer.byteLength(JSON.stringify(message)) < 40_000);
  assert.deepEqual([world.socket.pings, sent.at(-1).ping], [[1], 1], "one ping, in the last");
});

test("whoever comes and goes, and however often the connection breaks: the server holds what is wanted", async () => {
  for (let seed = 1; seed <= 40; seed++) await walk(seededRandom(seed));
});

async function walk(random) {
  const world = new World({ random });
  const pick = (list) => list[Math.floor(random() * list.length)];
  const users = [];
  const use = () => {
    const channel = pick(["a", "b", "c", "d"]);
    users.push({ channel, heard: world.listen(channel) });
  };
  const leave = () => {
    if (users.length > 0) users.splice(Math.floor(random() * users.length), 1)[0].heard.end();
  };
  const actions = [
    use,
    use,
    leave,
    leave,
    () => settle(),
    () => world.client.state === "connected" && world.socket.pong(),
    () => world.client.state === "connected" && world.socket.lose(),
    () => world.clock.advance(700),
    () => world.socket?.readyState === 0 && world.socket.accept(),
    () => random() < 0.1 && world.client.disconnect(),
    () => world.client.connect(),
  ];
  for (let count = 0; count < 150; count++) await pick(actions)();

  world.client.connect();
  for (let tries = 0; world.client.state !== "connected"; tries++) {
    assert.ok(tries < 10);
    world.clock.advance(20_000);
    if (world.socket.readyState === 0) world.socket.accept();
  }
  await settle();
  world.socket.pong();

  const onServer = new Set();
  for (const { subscribe = [], unsubscribe = [] } of world.socket.sent) {
    for (const channel of subscribe) {
      assert.ok(!onServer.has(channel), "no channel is asked for twice");
      onServer.add(channel);
    }
    for (const channel of unsubscribe) assert.ok(onServer.delete(channel), "none is given up that is not held");
  }
  assert.deepEqual([...onServer].sort(), [...new Set(users.map(({ channel }) => channel))].sort());
  for (const { channel, heard } of users) {
    assert.ok(heard.includes("subscribed"), "each user knows that its subscription is in force");
    heard.length = 0;
    world.socket.event(channel, "last");
    assert.deepEqual(heard.map(({ event }) => event), ["last"]);
  }
  assert.deepEqual(world.errors, []);
}
