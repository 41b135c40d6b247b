import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeServer, seededRandom, settle, World } from "./support.mjs";

/** A client and a server that speak the extended dialect. */
class Extended extends World {
  server = new FakeServer();

  async serve(options) {
    await settle();
    this.server.serve(this.socket, options);
    await settle();
  }

  async start(options) {
    this.client.connect();
    await this.serve(options);
  }

  /** The connection is lost; the server goes on without the client until it is back. */
  lose(code = 1006) {
    this.server.forget(this.socket);
    this.socket.lose(code);
  }

  async comeBack() {
    this.clock.advance(this.clock.pending[0]);
    await this.serve();
  }

  /** Subscribes and returns what is heard from then on: the names of events, and what was told of the subscription. */
  hear(channel, options = {}) {
    const heard = [];
    const told = ({ recovered }) => heard.push(recovered ? "recovered" : "subscribed");
    const named = ({ event, payload }) => heard.push(event === "stale" ? `stale: ${payload.reason}` : event);
    heard.end = this.client.subscribe(channel, named, { onSubscribed: told, ...options });
    return heard;
  }
}

test("both dialects are offered, the better one first", () => {
  const world = new World();
  world.client.connect();
  assert.deepEqual(world.socket.protocols, ["tidings.v1", "tidings.plain"]);
  const modest = new World({ dialects: [] });
  modest.client.connect();
  assert.deepEqual(modest.socket.protocols, []);
  assert.throws(() => new World({ dialects: ["chat"] }), RangeError);
});

test("a server that chooses neither, or plain, speaks plain", async () => {
  for (const protocol of ["", "tidings.plain"]) {
    const world = new World();
    world.listen("order");
    world.client.connect();
    world.socket.accept(protocol);
    assert.deepEqual(world.socket.sent, [{ subscribe: ["order"], ping: 1 }], protocol);
  }
});

test("requests have identifiers, and the reply says what is in force", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  await world.start();
  assert.deepEqual(world.socket.sent, [{ id: 1, subscribe: ["order"] }]);
  world.server.publish(["order"], "created");
  assert.deepEqual([...heard], ["subscribed", "created"]);
});

test("an event has its position, and the time over which to spread a fetch", async () => {
  const world = new Extended();
  const events = [];
  world.client.subscribe("order", (event) => events.push(event));
  await world.start();
  const payload = { entity_id: "42" };
  world.socket.event("order", "updated", payload, { position: "e1:46", spread_ms: 250 });
  assert.deepEqual(events, [{ channel: "order", event: "updated", payload, position: "e1:46", spread_ms: 250 }]);
});

test("what was missed is heard after the reconnect, once, and before what is new", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  await world.start();
  world.server.publish(["order"], "first");
  world.lose();
  world.server.publish(["order"], "second");
  world.server.publish(["contact"], "other");
  world.server.publish(["order"], "third");
  await world.comeBack();
  world.server.publish(["order"], "fourth");
  assert.deepEqual(world.server.requests.at(-1).since, { order: "e1:1" });
  assert.deepEqual([...heard], ["subscribed", "first", "recovered", "second", "third", "fourth"]);
});

test("a connection that breaks in the middle of a replay: the next one goes on where it ended", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  await world.start();
  world.lose();
  for (const name of ["a", "b", "c"]) world.server.publish(["order"], name);
  world.clock.advance(world.clock.pending[0]);
  const { socket } = world;
  const { say } = socket;
  let count = 0;
  // The welcome, the reply and one event get through.
  socket.say = (message) => ++count <= 3 && say.call(socket, message);
  await world.serve();
  assert.deepEqual([...heard], ["subscribed", "recovered", "a"]);
  world.lose();
  await world.comeBack();
  assert.deepEqual([...heard], ["subscribed", "recovered", "a", "recovered", "b", "c"]);
});

test("recovered and nothing missed: the position stays, also if nothing is heard for many connections", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  world.server.publish(["contact"]);
  await world.start();
  for (let count = 0; count < 3; count++) {
    world.lose();
    world.server.publish(["contact"]);
    await world.comeBack();
    assert.deepEqual(world.server.requests.at(-1).since, { order: "e1:1" });
  }
  assert.deepEqual([...heard], ["subscribed", "recovered", "recovered", "recovered"]);
});

test("a server that does not know any more says so, and the channel is stale", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  await world.start();
  world.lose();
  world.server.publish(["order"], "lost");
  world.server.evict();
  await world.comeBack();
  assert.deepEqual([...heard], ["subscribed", "subscribed", "stale: gap"]);
  world.lose();
  world.server.publish(["order"], "kept");
  await world.comeBack();
  assert.deepEqual(heard.slice(3), ["recovered", "kept"], "from the position of the reply");
});

test("a log that was replaced is another reason", async () => {
  const world = new Extended();
  const events = [];
  world.client.subscribe("order", (event) => events.push(event));
  await world.start();
  world.lose();
  world.server.restart();
  await world.comeBack();
  assert.deepEqual(events, [{ channel: "order", event: "stale", payload: { reason: "epoch" }, position: "e2:0" }]);
});

test("an unrecovered channel passes on over which time to spread the fetch", async () => {
  const world = new Extended();
  const events = [];
  world.client.subscribe("order", (event) => events.push(event), { since: "e1:3" });
  world.client.connect();
  world.socket.accept("tidings.v1");
  world.socket.say({ id: 1, subscribed: { order: { position: "e1:9", recovered: false, spread_ms: 800 } } });
  const payload = { reason: "gap" };
  assert.deepEqual(events, [{ channel: "order", event: "stale", payload, position: "e1:9", spread_ms: 800 }]);
});

test("a first load with its position: what happened since is heard, and nothing is missed", async () => {
  const world = new Extended();
  const position = world.server.publish(["order"], "before");
  world.server.publish(["order"], "after");
  const heard = world.hear("order", { since: position });
  await world.start();
  assert.deepEqual(world.socket.sent, [{ id: 1, subscribe: ["order"], since: { order: "e1:1" } }]);
  assert.deepEqual([...heard], ["recovered", "after"]);
});

test("a first load whose position the server does not know is stale", async () => {
  for (const since of ["e9:1", "e1:77", "yesterday"]) {
    const world = new Extended();
    world.server.publish(["order"]);
    const heard = world.hear("order", { since });
    await world.start();
    assert.deepEqual([...heard], ["subscribed", since === "e9:1" ? "stale: epoch" : "stale: gap"], since);
  }
});

test("a missing header is no position; a number is a mistake", async () => {
  const world = new Extended();
  const heard = world.hear("order", { since: null });
  await world.start();
  assert.deepEqual(world.socket.sent, [{ id: 1, subscribe: ["order"] }]);
  assert.deepEqual([...heard], ["subscribed"]);
  assert.throws(() => world.client.subscribe("order", () => {}, { since: 41 }), TypeError);
});

test("a first load on a plain connection cannot be resumed, and is stale", async () => {
  const world = new World();
  const heard = [];
  world.client.subscribe("order", ({ event }) => heard.push(event), { since: "e1:3" });
  await world.connect();
  assert.deepEqual(heard, ["stale"]);
});

test("several loads of one channel: asked from the oldest, and each hears what it lacks", async () => {
  const world = new Extended();
  const positions = ["a", "b", "c"].map((name) => world.server.publish(["order"], name));
  const newer = world.hear("order", { since: positions[1] });
  const older = world.hear("order", { since: positions[0] });
  const other = world.hear("order", { since: "e0:5" });
  await world.start();
  assert.deepEqual(world.server.requests[0].since, { order: positions[0] });
  assert.deepEqual([...newer], ["recovered", "c"]);
  assert.deepEqual([...older], ["recovered", "b", "c"]);
  assert.deepEqual([...other], ["subscribed", "stale: epoch"]);
});

test("who comes to a live channel with a position is told what it lacks", async () => {
  const world = new Extended();
  world.hear("order");
  await world.start();
  const position = world.server.publish(["order"]);
  const knowing = world.hear("order", { since: position });
  const behind = world.hear("order", { since: "e1:0" });
  const foreign = world.hear("order", { since: "e0:1" });
  const fresh = world.hear("order");
  await settle();
  assert.deepEqual([...knowing], ["recovered"]);
  assert.deepEqual([...behind], ["subscribed", "stale: gap"]);
  assert.deepEqual([...foreign], ["subscribed", "stale: epoch"]);
  assert.deepEqual([...fresh], ["subscribed"]);
  assert.equal(world.socket.sent.length, 1, "and the server of nothing");
});

test("a load that is newer than the reply is not stale, and hears nothing twice", async () => {
  const world = new Extended();
  world.client.connect();
  world.socket.accept("tidings.v1");
  const first = world.hear("order");
  await settle();
  const second = world.hear("order", { since: "e1:50" });
  world.socket.say({ id: 2, subscribed: { order: { position: "e1:45", recovered: false } } });
  world.socket.event("order", "seen", {}, { position: "e1:48" });
  world.socket.event("order", "new", {}, { position: "e1:51" });
  assert.deepEqual([...first], ["subscribed", "seen", "new"]);
  assert.deepEqual([...second], ["recovered", "new"]);
});

test("an event whose position is known is dropped, except for stale; one of another log is not", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  await world.start();
  for (const [name, position] of [
    ["five", "e1:5"],
    ["again", "e1:5"],
    ["older", "e1:4"],
    ["stale", "e1:4"],
    ["without", undefined],
    ["six", "e1:6"],
    ["other", "e2:1"],
    ["next", "e2:2"],
  ]) {
    world.socket.event("order", name, { reason: "lagged" }, { position });
  }
  assert.deepEqual([...heard], ["subscribed", "five", "stale: lagged", "without", "six", "other", "next"]);
});

test("an event on several channels calls a handler of several of them once", async () => {
  const world = new Extended();
  const heard = [];
  const other = [];
  const handler = ({ channel, event }) => heard.push(`${channel} ${event}`);
  world.client.subscribe("order", handler);
  world.client.subscribe("table:7", handler);
  world.client.subscribe("table:7", ({ event }) => other.push(event));
  await world.start();
  world.server.publish(["order", "table:7"], "moved");
  world.server.publish(["table:7"], "laid");
  world.server.publish(["table:7", "order"], "paid");
  assert.deepEqual(heard, ["order moved", "table:7 laid", "table:7 paid"]);
  assert.deepEqual(other, ["moved", "laid", "paid"]);
});

test("what was heard on one channel is not heard again when another one is replayed", async () => {
  const world = new Extended();
  const heard = [];
  const handler = ({ event }) => heard.push(event);
  world.client.subscribe("order", handler);
  world.client.subscribe("table:7", handler);
  await world.start();
  world.lose();
  world.server.publish(["order", "table:7"], "moved");
  world.server.publish(["order"], "laid");
  world.server.publish(["table:7", "order"], "paid");
  await world.comeBack();
  assert.deepEqual(heard, ["moved", "laid", "paid"]);
});

test("every channel's stale is heard, whoever holds several", async () => {
  const world = new Extended();
  const heard = [];
  const handler = ({ channel, event }) => heard.push(`${channel} ${event}`);
  world.client.subscribe("order", handler);
  world.client.subscribe("table:7", handler);
  await world.start();
  for (const channel of ["order", "table:7"]) world.socket.event(channel, "stale", {}, { position: "e1:9" });
  assert.deepEqual(heard, ["order stale", "table:7 stale"]);
});

test("a handler that left its channels and came back hears a replay anew", async () => {
  const world = new Extended();
  const heard = [];
  const handler = ({ event }) => heard.push(event);
  const ends = ["order", "table:7"].map((channel) => world.client.subscribe(channel, handler));
  await world.start();
  world.server.publish(["order", "table:7"], "moved");
  for (const end of ends) end();
  await world.serve();
  world.client.subscribe("table:7", handler, { since: "e1:0" });
  world.client.subscribe("order", () => {});
  await world.serve();
  assert.deepEqual(heard, ["moved", "moved"]);
});

test("a subscription that is handed over in one go keeps the channel's position", async () => {
  const world = new Extended();
  const first = world.hear("order");
  await world.start();
  const position = world.server.publish(["order"]);
  first.end();
  const second = world.hear("order", { since: position });
  const third = world.hear("order", { since: "e1:0" });
  await settle();
  assert.equal(world.socket.sent.length, 1);
  assert.deepEqual([...second], ["recovered"]);
  assert.deepEqual([...third], ["subscribed", "stale: gap"]);
});

test("a channel that was left and asked for again with a position takes nothing from before the reply", async () => {
  const world = new Extended();
  const first = world.hear("order");
  await world.start();
  first.end();
  await settle();
  const second = world.hear("order", { since: "e1:0" });
  await settle();
  // On its way before the server read either request.
  world.server.publish(["order"], "one");
  assert.deepEqual([...second], []);
  await world.serve();
  assert.deepEqual([...second], ["recovered", "one"]);
});

test("an old reply does not count for a newer request", async () => {
  const world = new Extended();
  await world.start();
  const first = world.hear("order");
  await settle();
  first.end();
  await settle();
  const second = world.hear("order");
  await settle();
  world.socket.say({ id: 2, subscribed: { order: { position: "e1:0", recovered: false } } });
  assert.deepEqual([...second], []);
  world.socket.say({ id: 3, unsubscribed: ["order"] });
  world.socket.say({ id: 4, subscribed: { order: { position: "e1:0", recovered: false } } });
  assert.deepEqual([[...first], [...second]], [[], ["subscribed"]]);
});

test("a plain connection in between: what was heard there has no positions, so the next one begins anew", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  await world.start();
  world.server.publish(["order"], "one");
  world.lose();
  world.clock.advance(world.clock.pending[0]);
  await world.accept();
  world.socket.event("order", "two");
  world.lose();
  await world.comeBack();
  assert.deepEqual(world.server.requests.at(-1).since, {});
  assert.deepEqual([...heard], ["subscribed", "one", "subscribed", "stale: gap", "two", "subscribed", "stale: gap"]);
});

test("disconnect and connect resume as well", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  await world.start();
  world.client.disconnect();
  world.server.forget(world.socket);
  world.server.publish(["order"], "missed");
  await world.start();
  assert.deepEqual([...heard], ["subscribed", "recovered", "missed"]);
});

test("who is told to disconnect in the middle of a reply misses nothing: it is told the next time", async () => {
  const world = new Extended();
  await world.start();
  world.lose();
  world.server.publish(["order"]);
  world.server.evict();
  let once = () => world.client.disconnect();
  const first = world.hear("order", { since: "e1:0", onSubscribed: () => once() });
  const second = world.hear("order", { since: "e1:0" });
  await world.comeBack();
  assert.deepEqual([[...first], [...second]], [[], []]);
  once = () => {};
  await world.start();
  assert.deepEqual([[...first], [...second]], [["stale: gap"], ["subscribed", "stale: gap"]]);
});

test("what a handler that disconnects keeps from the others is replayed to them", async () => {
  const world = new Extended();
  const second = [];
  world.client.subscribe("order", () => world.client.disconnect());
  world.client.subscribe("order", ({ event }) => second.push(event));
  await world.start();
  world.server.publish(["order"], "one");
  assert.deepEqual(second, []);
  world.server.forget(world.socket);
  await world.start();
  assert.deepEqual(second, ["one"]);
});

// Requests.

test("requests beyond a bound wait for an answer, and then go out together", async () => {
  const world = new Extended();
  await world.start();
  for (let count = 0; count < 40; count++) {
    world.hear(`order:${count}`);
    await settle();
  }
  assert.equal(world.socket.sent.length, 1 + 16);
  await world.serve();
  assert.equal(world.socket.sent.length, 1 + 16 + 1);
  assert.equal(world.socket.sent.at(-1).subscribe.length, 40 - 16);
});

test("thousands of channels go out a hundred in a message and sixteen messages at a time", async () => {
  const world = new Extended();
  for (let count = 0; count < 5_000; count++) world.hear(`order:${count}`);
  await world.start();
  for (let turn = 0; turn < 10; turn++) await world.serve();
  assert.equal(new Set(world.socket.subscribed).size, 5_000);
  assert.equal(world.socket.subscribed.length, 5_000);
  assert.ok(world.socket.sent.every(({ subscribe }) => subscribe.length <= 100));
});

test("a request without an answer ends in a reconnect, also if later ones are answered", async () => {
  const world = new Extended();
  await world.start();
  world.hear("order");
  await settle();
  world.clock.advance(5_000);
  world.hear("contact");
  await settle();
  world.socket.say({ id: 3, subscribed: { contact: { position: "e1:0", recovered: false } } });
  world.clock.advance(4_999);
  assert.equal(world.client.state, "connected");
  world.clock.advance(1);
  assert.equal(world.client.state, "reconnecting");
  assert.equal(world.socket.closedWith, 4002);
});

test("a heartbeat is a request too, and as frequent as the server asks for", async () => {
  const world = new Extended();
  await world.start({ welcome: { heartbeat_ms: 10_000 } });
  assert.deepEqual(world.socket.sent, [{ id: 1, ping: 1 }]);
  world.clock.advance(10_000);
  assert.deepEqual(world.socket.sent.at(-1), { id: 2, ping: 2 });
  await world.serve();
  world.clock.advance(9_999);
  assert.equal(world.socket.sent.length, 2);
  world.clock.advance(1);
  world.clock.advance(10_000);
  assert.equal(world.client.state, "reconnecting");
});

test("a server that speaks seldom is asked as often as the option says", async () => {
  const world = new Extended({ heartbeatInterval: 5_000 });
  await world.start({ welcome: { heartbeat_ms: 60_000 } });
  world.clock.advance(5_000);
  assert.equal(world.socket.sent.length, 2);
});

test("channels that a reply refuses are reported one by one", async () => {
  const world = new Extended();
  const errors = [];
  world.client.onError((error) => errors.push(error));
  world.server.refused.set("secret", "forbidden").set("late", "too_many_channels");
  const secret = world.hear("secret");
  const order = world.hear("order");
  world.hear("late");
  await world.start();
  assert.deepEqual(errors, [
    { code: "forbidden", message: "No.", channel: "secret" },
    { code: "too_many_channels", message: "No.", channel: "late" },
  ]);
  assert.deepEqual([[...secret], [...order]], [[], ["subscribed"]]);
  world.clock.advance(20_000);
  assert.deepEqual(world.socket.subscribed, ["secret", "order", "late"], "and not asked for again by itself");
});

test("a request that is refused as a whole refuses its channels", async () => {
  const world = new Extended();
  const codes = [];
  world.client.onError(({ code, channel }) => codes.push([code, channel]));
  world.client.connect();
  world.socket.accept("tidings.v1");
  const heard = world.hear("order");
  await settle();
  world.socket.say({ id: 2, error: { code: "unauthenticated", message: "Who are you?" } });
  assert.deepEqual(codes, [["unauthenticated", null]]);
  heard.end();
  await settle();
  assert.deepEqual(world.socket.unsubscribed, []);
});

test("a channel that a new token does not open any longer is refused; granted again, it resumes", async () => {
  const world = new Extended();
  const heard = world.hear("order");
  await world.start();
  world.server.publish(["order"], "one");
  world.socket.say({ error: { code: "forbidden", message: "No longer.", channel: "order" } });
  world.hear("order");
  await world.serve();
  assert.deepEqual(world.server.requests.at(-1).since, { order: "e1:1" });
  assert.equal(heard[1], "one");
});

test("a channel that is refused for coming too fast is asked for again, after longer and longer waits", async () => {
  const world = new Extended();
  world.server.refused.set("order", "rate_limited");
  const heard = world.hear("order");
  await world.start();
  const waits = [];
  for (let count = 0; count < 5; count++) {
    const wait = world.clock.pending[0];
    waits.push(wait);
    world.clock.advance(wait);
    await world.serve();
  }
  assert.deepEqual(waits, [1_500, 3_000, 6_000, 12_000, 15_000], "from half to all of up to 20 seconds");
  world.server.refused.clear();
  world.clock.advance(world.clock.pending[0]);
  await world.serve();
  assert.deepEqual([...heard], ["subscribed"]);
  assert.equal(world.client.state, "connected");
});

test("requests that a busy server ignores are made again after a wait", async () => {
  const world = new Extended();
  await world.start();
  const heard = world.hear("order");
  await settle();
  world.socket.sent.pop();
  world.socket.say({ error: { code: "rate_limited", message: "Slow down." } });
  world.clock.advance(1_500);
  await world.serve();
  assert.deepEqual(world.server.requests.at(-1).subscribe, ["order"]);
  assert.deepEqual([...heard], ["subscribed"]);
  world.clock.advance(20_000);
  assert.equal(world.client.state, "connected", "what was ignored is not waited for");
});

test("what a busy server did not give up is given up after a wait, unless it is wanted again", async () => {
  for (const error of [{ error: { code: "rate_limited" } }, { id: 2, error: { code: "rate_limited" } }]) {
    const world = new Extended();
    const [order, contact] = [world.hear("order"), world.hear("contact")];
    await world.start();
    for (const heard of [order, contact]) heard.end();
    await settle();
    assert.deepEqual(world.socket.sent.pop(), { id: 2, unsubscribe: ["order", "contact"] });
    world.socket.say(error);
    const again = world.hear("contact");
    world.clock.advance(1_500);
    await world.serve();
    assert.deepEqual(world.socket.unsubscribed, ["order"]);
    assert.deepEqual([...again], ["subscribed"]);
    world.server.publish(["order"]);
    world.clock.advance(20_000);
    await world.serve();
    assert.deepEqual(world.socket.unsubscribed, ["order"], "once");
  }
});

test("what is subscribed during a pause waits for its end", async () => {
  const world = new Extended();
  await world.start();
  world.socket.say({ error: { code: "rate_limited", message: "Slow down." } });
  const heard = world.hear("order");
  await world.serve();
  assert.deepEqual(world.socket.subscribed, []);
  world.clock.advance(1_500);
  await world.serve();
  assert.deepEqual([...heard], ["subscribed"]);
});

test("a plain server's pong does not confirm what it may have ignored", async () => {
  const world = new World();
  await world.connect();
  const heard = world.listen("order");
  await settle();
  world.socket.say({ error: { code: "rate_limited", message: "Slow down." } });
  world.socket.pong();
  assert.deepEqual([...heard], []);
  world.clock.advance(1_500);
  assert.deepEqual(world.socket.subscribed, ["order", "order"]);
  world.socket.pong();
  assert.deepEqual([...heard], ["subscribed"]);
});

// Draining.

test("a draining server is come back to at a random moment of the time that it gave", async () => {
  for (const code of [4000, 1001, 1006]) {
    const world = new Extended();
    world.hear("order");
    await world.start();
    world.socket.say({ draining: { reconnect_within_ms: 5_000 } });
    world.server.publish(["order"]);
    assert.equal(world.client.state, "connected");
    world.chance = 0.75;
    world.lose(code);
    assert.deepEqual(world.clock.pending, [3_750], String(code));
    await world.comeBack();
    assert.equal(world.client.state, "connected");
    world.lose(1006);
    assert.deepEqual(world.clock.pending, [375], "the announcement was for one connection");
  }
});

// Everything at once.

test("whatever is lost: each handler has heard every event once, or been told that it has not", async () => {
  for (let seed = 1; seed <= 60; seed++) await walk(seededRandom(seed));
});

async function walk(random) {
  const world = new Extended({ random });
  const { server } = world;
  const pick = (list) => list[Math.floor(random() * list.length)];
  const channels = ["a", "b", "c"];
  const users = [];
  let number = 0;
  const isOpen = () => world.socket?.readyState === 1;

  function use() {
    const channel = pick(channels);
    const user = { channel, heard: [], from: null };
    const since = random() < 0.4 ? server.position : null;
    if (since) user.from = number;
    const handler = ({ event }) => {
      // A fetch sees all that has happened.
      if (event === "stale") user.from = number;
      else user.heard.push(Number(event));
    };
    const onSubscribed = () => (user.from ??= number);
    user.end = world.client.subscribe(channel, handler, { since, onSubscribed });
    users.push(user);
  }
  const actions = [
    use,
    () => users.length > 4 && users.splice(Math.floor(random() * users.length), 1)[0].end(),
    () => server.publish(channels.filter(() => random() < 0.5), String(++number)),
    () => server.publish(channels.filter(() => random() < 0.5), String(++number)),
    () => random() < 0.1 && server.evict(),
    () => random() < 0.05 && server.restart(),
    () => isOpen() && world.serve(),
    () => isOpen() && world.serve(),
    () => isOpen() && random() < 0.3 && (world.socket.isCut = true),
    () => random() < 0.5 && world.socket && world.client.state === "connected" && world.lose(),
    () => world.clock.advance(700),
    () => random() < 0.3 && (server.ignores = 2),
    () => world.socket?.readyState === 0 && world.client.state !== "disconnected" && world.serve(),
    () => random() < 0.05 && world.client.disconnect(),
    () => world.client.connect(),
    () => settle(),
  ];
  for (let count = 0; count < 200; count++) await pick(actions)();

  server.ignores = 0;
  world.client.connect();
  for (let tries = 0; tries < 10 && !(world.client.state === "connected" && !world.socket.isCut); tries++) {
    if (world.client.state === "connected") world.lose();
    world.clock.advance(20_000);
    if (world.socket.readyState === 0) await world.serve();
  }
  for (let turn = 0; turn < 20; turn++) {
    world.clock.advance(1_000);
    await world.serve();
  }
  server.publish(channels, String(++number));

  assert.deepEqual(world.errors, []);
  for (const { channel, heard, from } of users) {
    assert.notEqual(from, null, "each user knows that its subscription is in force");
    assert.deepEqual(heard, [...new Set(heard)].sort((a, b) => a - b), "once, and in order");
    const happened = published(server, channel).filter((each) => each > from);
    assert.deepEqual(heard.filter((each) => each > from), happened, "all since the last fetch");
  }
}

function published(server, channel) {
  return server.everything.filter(({ channels }) => channels.includes(channel)).map(({ event }) => Number(event));
}
