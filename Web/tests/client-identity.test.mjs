import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers, EPOCH, FakeServer, makeToken, settle, World } from "./support.mjs";

const V1 = "tidings.v1";

/** So seldom that no heartbeat gets into these tests. */
const QUIET = 3_600_000;

/** A client whose application has these tokens, one after the other; the last one for ever. */
function worldWith(...tokens) {
  const reasons = [];
  const token = (reason) => {
    reasons.push(reason);
    return tokens.length > 1 ? tokens.shift() : tokens[0];
  };
  const world = new World({ token, heartbeatInterval: QUIET });
  return Object.assign(world, { reasons, tokens });
}

async function open(world, welcome = {}) {
  world.socket.accept(V1);
  world.socket.say({ welcome: { connection: "c-1", server: "test", heartbeat_ms: QUIET, ...welcome } });
  answerAll(world);
  await settle();
}

function answerAll(world) {
  for (const { id, ping } of world.socket.sent) if (ping !== undefined) world.socket.say({ id, pong: ping });
}

const auths = ({ socket }) => socket.sent.filter(({ auth }) => auth !== undefined);
const bearer = ({ socket }) => socket.protocols.find((protocol) => protocol.startsWith("bearer."));

test("a token goes beside the dialects", () => {
  const world = new World({ token: "a.b.c" });
  world.client.connect();
  assert.deepEqual(world.socket.protocols, ["tidings.v1", "tidings.plain", "bearer.a.b.c"]);
});

test("without a token nothing is said of who the client is", async () => {
  for (const token of [undefined, null, () => null, async () => undefined]) {
    const world = new World({ token });
    world.client.connect();
    await settle();
    assert.deepEqual(world.socket.protocols, ["tidings.v1", "tidings.plain"]);
    await world.accept();
    assert.equal(auths(world).length, 0);
  }
});

test("a function is asked before each attempt", async () => {
  const world = worldWith("a", "b");
  world.client.connect();
  assert.equal(bearer(world), "bearer.a");
  world.loseAndRetry();
  assert.equal(bearer(world), "bearer.b");
  assert.deepEqual(world.reasons, ["connect", "connect"]);
});

test("an application may take its time, and may be disconnected meanwhile", async () => {
  const answers = new Answers();
  const world = new World({ token: answers.ask });
  world.client.connect();
  assert.deepEqual([world.client.state, world.sockets.length], ["connecting", 0]);
  await answers.answer("a");
  assert.equal(bearer(world), "bearer.a");
  world.client.disconnect();
  world.client.connect();
  world.client.disconnect();
  await answers.answer("late");
  assert.deepEqual([world.client.state, world.sockets.length], ["disconnected", 1]);
});

test("who connects anew does not get the token of the one before", async () => {
  const answers = new Answers();
  const world = new World({ token: answers.ask });
  world.client.connect();
  world.client.disconnect();
  world.client.connect();
  await answers.answer("before");
  assert.equal(world.sockets.length, 0);
  await answers.answer("now");
  assert.equal(bearer(world), "bearer.now");
});

test("an application that does not answer costs one attempt, and is asked again", async () => {
  const answers = new Answers();
  const world = new World({ token: answers.ask });
  world.client.connect();
  world.clock.advance(10_000);
  assert.equal(world.client.state, "reconnecting");
  world.clock.advance(250);
  assert.equal(answers.asked.length, 2);
  await answers.answer("late");
  assert.equal(world.sockets.length, 0);
  await answers.answer("b");
  assert.equal(bearer(world), "bearer.b");
});

test("an application that fails costs one attempt; what it threw is reported to it alone", async () => {
  for (const token of [() => { throw new Error("secret"); }, async () => { throw new Error("secret"); }]) {
    const world = new World({ token, maxAttempts: 1 });
    world.client.connect();
    await settle();
    assert.equal(world.client.state, "reconnecting");
    world.clock.advance(250);
    await settle();
    assert.equal(world.client.state, "failed");
    assert.equal(world.client.failure.reason, "attempts_exhausted");
    assert.ok(!world.client.failure.message.includes("secret"));
    assert.deepEqual(world.errors.map(({ message }) => message), ["secret", "secret"]);
  }
});

test("4003: another token first, and the application knows why until there is a connection", async () => {
  const world = worldWith("a", "b", "c");
  world.client.connect();
  await open(world);
  world.loseAndRetry(4003);
  assert.equal(bearer(world), "bearer.b");
  world.loseAndRetry(1006);
  assert.equal(bearer(world), "bearer.c");
  await open(world);
  world.loseAndRetry(1006);
  assert.deepEqual(world.reasons, ["connect", "expired", "expired", "connect"]);
});

test("4500: another token is tried", async () => {
  const world = worldWith("a", "b");
  world.client.connect();
  world.socket.accept(V1);
  world.loseAndRetry(4500);
  assert.equal(bearer(world), "bearer.b");
  await open(world);
  assert.equal(world.client.state, "connected");
  assert.deepEqual(world.reasons, ["connect", "refused"]);
});

test("4500 without another token: the client stays away until there is one", async () => {
  const world = worldWith("a");
  world.client.connect();
  world.socket.accept(V1);
  world.loseAndRetry(4500);
  assert.deepEqual([world.client.state, world.sockets.length], ["failed", 1]);
  assert.deepEqual([world.client.failure.reason, world.client.failure.code], ["await_token", 4500]);
  for (const action of [() => world.client.connect(), () => world.client.refreshToken(), () => world.goOnline()]) {
    action();
    world.clock.advance(3_600_000);
    assert.deepEqual([world.client.state, world.sockets.length], ["failed", 1]);
  }
  world.tokens[0] = "b";
  world.client.refreshToken();
  assert.equal(bearer(world), "bearer.b");
  assert.equal(world.client.state, "connecting");
});

test("4500 with a token that is a text: the client stays away, and starts afresh after a disconnect", () => {
  const world = new World({ token: "a" });
  world.client.connect();
  world.socket.accept(V1);
  world.socket.lose(4500);
  assert.equal(world.client.failure.reason, "await_token");
  world.client.connect();
  assert.equal(world.sockets.length, 1);
  world.client.disconnect();
  world.client.connect();
  assert.equal(world.sockets.length, 2);
});

test("a server that refuses every token sees longer and longer delays", () => {
  let count = 0;
  const world = new World({ token: () => `token-${++count}` });
  world.client.connect();
  for (const delay of [250, 500, 1_000, 2_000]) {
    world.socket.accept(V1);
    world.socket.lose(4500);
    assert.deepEqual(world.clock.pending, [delay]);
    world.clock.advance(delay);
  }
});

test("4501 stays away, whatever tokens there are; connect is enough", async () => {
  const world = worldWith("a", "b");
  world.client.connect();
  await open(world);
  world.socket.lose(4501);
  assert.equal(world.client.failure.reason, "stay_away");
  world.client.refreshToken();
  assert.equal(world.sockets.length, 1);
  world.client.connect();
  assert.equal(world.sockets.length, 2);
});

test("before a token expires the next one is handed over on the live socket", async () => {
  const tokens = ["a", "b", "c"].map((name, index) => makeToken(name, 600_000 * (index + 1)));
  const world = worldWith(...tokens);
  world.client.connect();
  await open(world);
  world.clock.advance(569_999);
  assert.equal(auths(world).length, 0);
  world.clock.advance(1);
  assert.deepEqual(auths(world), [{ id: 2, auth: tokens[1] }]);
  world.socket.say({ id: 2, authenticated: { subject: "42" } });
  world.clock.advance(600_000);
  assert.deepEqual(auths(world).at(-1), { id: 3, auth: tokens[2] });
  assert.equal(world.sockets.length, 1);
  assert.deepEqual(world.reasons, ["connect", "refresh", "refresh"]);
});

test("the server's word on when a token expires counts for more than the token's", async () => {
  const world = worldWith(makeToken("a", 3_600_000), "b", "c");
  world.client.connect();
  const expires = (ms) => new Date(EPOCH + world.clock.now + ms).toISOString();
  await open(world, { authenticated: { subject: "42", expires_at: expires(20_000) } });
  world.clock.advance(15_999);
  assert.equal(auths(world).length, 0);
  world.clock.advance(1);
  assert.deepEqual(auths(world), [{ id: 2, auth: "b" }]);
  world.socket.say({ id: 2, authenticated: { subject: "42", expires_at: expires(5_000) } });
  world.clock.advance(4_000);
  assert.deepEqual(auths(world).at(-1), { id: 3, auth: "c" });
  world.socket.say({ id: 3, authenticated: { subject: "42" } });
  world.clock.advance(3_000);
  assert.deepEqual(world.clock.pending.length, 1, "one that does not expire is not renewed: the heartbeat alone runs");
});

test("a fresh token that the server does not take: another one is asked for before the old one expires", async () => {
  const world = worldWith(makeToken("a", 20_000), "b", "c");
  world.client.connect();
  await open(world);
  world.clock.advance(16_000);
  world.socket.say({ id: 2, error: { code: "unauthenticated", message: "Not this one." } });
  world.clock.advance(3_200);
  assert.deepEqual(auths(world).map(({ auth }) => auth), ["b", "c"]);
});

test("an application that has no other token yet is asked again, and then the server closes", async () => {
  const token = makeToken("a", 20_000);
  const world = worldWith(token);
  world.client.connect();
  await open(world);
  world.clock.advance(22_000);
  assert.equal(auths(world).length, 0);
  assert.deepEqual(world.reasons, ["connect", "refresh", "refresh"]);
});

test("an application that fails to give a fresh token is asked again", async () => {
  let count = 0;
  const token = async () => {
    count += 1;
    if (count === 2) throw new Error("no network");
    return makeToken(String(count), 20_000 * count);
  };
  const world = new World({ token });
  world.client.connect();
  await settle();
  await open(world);
  world.clock.advance(16_000);
  await settle();
  assert.equal(auths(world).length, 0);
  world.clock.advance(3_200);
  await settle();
  assert.equal(auths(world).length, 1);
  assert.equal(world.errors.length, 1);
});

test("what a token did not open is asked for again with the next one", async () => {
  const world = worldWith("a", "b");
  const heard = world.listen("secret");
  world.client.connect();
  world.socket.accept(V1);
  world.socket.say({ id: 1, errors: { secret: { code: "forbidden", message: "No." } } });
  world.client.refreshToken();
  world.socket.say({ id: 2, authenticated: { subject: "42" } });
  await settle();
  assert.deepEqual(world.socket.sent.at(-1), { id: 3, subscribe: ["secret"] });
  world.socket.say({ id: 3, subscribed: { secret: { position: "e1:0", recovered: false } } });
  assert.deepEqual([...heard], ["subscribed"]);
});

test("a server that chose no subprotocol is told in a message, before anything else", async () => {
  for (const dialects of [undefined, []]) {
    const world = new World({ token: "a", dialects });
    world.listen("order");
    world.client.connect();
    world.socket.accept();
    assert.deepEqual(world.socket.sent, [{ auth: "a" }, { subscribe: ["order"], ping: 1 }]);
    assert.deepEqual(world.socket.protocols.length, dialects ? 0 : 3);
  }
});

test("on a plain connection a fresh token has no answer", async () => {
  const world = worldWith(makeToken("a", 20_000), makeToken("b", 40_000), makeToken("c", 60_000));
  world.client.connect();
  world.socket.accept("tidings.plain");
  world.socket.pong();
  world.clock.advance(16_000);
  assert.equal(auths(world).length, 1);
  world.clock.advance(19_200);
  assert.equal(auths(world).length, 2);
});

test("the time of a token that is good for longer than any timer", async () => {
  const world = worldWith(makeToken("a", 365 * 86_400_000));
  world.client.connect();
  await open(world);
  assert.equal(world.clock.pending.at(-1), 2 ** 31 - 1);
});

test("after the connection is gone no token is handed over", async () => {
  const answers = new Answers();
  const world = new World({ token: answers.ask });
  world.client.connect();
  await answers.answer(makeToken("a", 20_000));
  await open(world);
  const { socket } = world;
  world.clock.advance(16_000);
  assert.deepEqual(answers.questions, [["refresh"]]);
  world.socket.lose();
  await answers.answer("b");
  assert.deepEqual(socket.sent.filter(({ auth }) => auth), []);
});

test("neither the log nor an error has a token or a payload in it", async () => {
  const lines = [];
  const token = makeToken("secret-token", 20_000);
  let count = 0;
  const world = new World({
    token: () => (count++ === 0 ? token : "other-secret"),
    url: "ws://bistro.test/?token=secret-in-address",
    debug: (text, frame) => lines.push([text, frame]),
  });
  const server = new FakeServer();
  world.listen("order");
  world.client.connect();
  server.serve(world.socket);
  server.publish(["order"], "created", { entity_id: "secret-payload" });
  world.socket.say({ error: { code: "forbidden", message: "secret-message", channel: "x" } });
  world.socket.say({ later: "secret-later" });
  world.socket.say({ draining: { reconnect_within_ms: 5 } });
  world.client.refreshToken();
  world.socket.say({ id: 2, authenticated: { subject: "secret-subject" } });
  world.socket.lose(1006, "secret-reason");
  const countOf = (expected) => lines.filter(([text]) => text === expected).length;
  assert.deepEqual(["opened", "sent", "received", "closed"].map(countOf), [1, 2, 7, 1]);
  const text = JSON.stringify(lines);
  assert.ok(!text.includes("secret") && !text.includes(token), text);
  assert.ok(text.includes('"channel":"order"') && text.includes('"position":"e1:1"'));
});

test("debug: true shows frames in the console; what it throws breaks nothing", async (t) => {
  const shown = [];
  t.mock.method(console, "debug", (...values) => shown.push(values));
  const world = new World({ debug: true });
  await world.connect();
  assert.deepEqual(shown.slice(0, 2), [["tidings", "opened", { protocol: "" }], ["tidings", "sent", { ping: 1 }]]);
  const broken = new World({ debug: () => { throw new Error("broken"); } });
  await broken.connect();
  assert.equal(broken.client.state, "connected");
  assert.ok(broken.errors.length > 0);
});

test("what a browser says of an address that it refuses is not repeated: there may be a token in it", () => {
  const world = new World({ url: "ws://bistro.test:99999/?token=secret" });
  world.client.connect();
  assert.equal(world.client.failure.reason, "unopenable");
  assert.ok(!world.client.failure.message.includes("secret"));
});

test("a token that no subprotocol can carry costs the attempt, and is not repeated", async () => {
  assert.throws(() => new World({ token: "two words" }), TypeError);
  const world = new World({ token: () => "two words" });
  world.client.connect();
  assert.equal(world.client.state, "reconnecting");
  assert.ok(world.errors.every(({ message }) => !message.includes("two words")));
});
