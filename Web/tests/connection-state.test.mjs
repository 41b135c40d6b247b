import assert from "node:assert/strict";
import { test } from "node:test";
import { idle, step, visibleState } from "../tidings/connection-state.js";
import { closeAdvice } from "../tidings/wire.js";
import { seededRandom } from "./support.mjs";

const options = {
  backoffBase: 500,
  backoffMax: 20_000,
  maxAttempts: Infinity,
  connectTimeout: 9_000,
  heartbeatInterval: 25_000,
  heartbeatTimeout: 10_000,
  hasFreshTokens: false,
};

/** Takes the machine through some inputs and returns where it is, and the effects of the last input. */
function run(inputs, overrides = {}) {
  let state = idle;
  let effects = [];
  for (const input of inputs) {
    const given = typeof input === "string" ? { type: input } : input;
    ({ state, effects } = step(state, given, { ...options, ...overrides }));
  }
  return { state, effects };
}

const closed = (code) => ({ type: "closed", code, reason: "" });
const pong = (value) => ({ type: "answered", value, cumulative: true });
const asked = (upTo) => ({ type: "asked", upTo });

const paths = [
  ["nothing happened", [], "disconnected"],
  ["connect", ["connect"], "connecting"],
  ["opened", ["connect", "opened"], "connected"],
  ["lost", ["connect", "opened", closed(1006)], "reconnecting"],
  ["first attempt lost", ["connect", closed(1006)], "reconnecting"],
  ["next attempt", ["connect", closed(1006), "timer:backoff"], "reconnecting"],
  ["back again", ["connect", closed(1006), "timer:backoff", "opened"], "connected"],
  ["attempt timed out", ["connect", "timer:opening"], "reconnecting"],
  ["no answer", ["connect", "opened", asked(1), "timer:answer"], "reconnecting"],
  ["refused for good", ["connect", "opened", closed(4501)], "failed"],
  ["cannot be opened", ["connect", { type: "unopenable", message: "no" }], "failed"],
  ["connect after a failure", ["connect", closed(4501), "connect"], "connecting"],
  ["disconnect while idle", ["disconnect"], "disconnected"],
  ["disconnect while opening", ["connect", "disconnect"], "disconnected"],
  ["disconnect while open", ["connect", "opened", "disconnect"], "disconnected"],
  ["disconnect while waiting", ["connect", closed(1006), "disconnect"], "disconnected"],
  ["disconnect after a failure", ["connect", closed(4501), "disconnect"], "disconnected"],
  ["late timer", ["connect", closed(1006), "disconnect", "timer:backoff"], "disconnected"],
  ["late close", ["connect", "disconnect", closed(1006)], "disconnected"],
  ["late opening", ["connect", "disconnect", "opened"], "disconnected"],
];

for (const [name, inputs, expected] of paths) {
  test(`${name}: ${expected}`, () => {
    const { state } = run(inputs);
    assert.equal(visibleState(state), expected);
  });
}

test("the backoff doubles up to its limit, also after more attempts than a number has bits", () => {
  const ceilings = [];
  let state = step(idle, { type: "connect" }, options).state;
  for (let attempt = 0; attempt < 1_200; attempt++) {
    const lost = step(state, closed(1006), options);
    ceilings.push(lost.effects.at(-1).upTo);
    state = step(lost.state, { type: "timer:backoff" }, options).state;
  }
  assert.deepEqual(ceilings.slice(0, 7), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000]);
  assert.ok(ceilings.slice(7).every((ceiling) => ceiling === 20_000));
});

test("an opened connection resets the backoff only once the server has answered", () => {
  const { effects: unproven } = run(["connect", closed(1006), "timer:backoff", "opened", asked(1), closed(1013)]);
  assert.equal(unproven.at(-1).upTo, 1_000);
  const up = ["connect", closed(1006), "timer:backoff", "opened", asked(1), pong(1)];
  assert.equal(run([...up, closed(1013)]).effects.at(-1).upTo, 500);
});

test("too many connections: the longest backoff, until a connection was up", () => {
  const before = ["connect", "opened", closed(4004)];
  assert.equal(run(before).effects.at(-1).upTo, 20_000);
  assert.equal(run([...before, "timer:backoff", closed(1006)]).effects.at(-1).upTo, 20_000);
  assert.equal(run([...before, "timer:backoff", "opened", asked(1), pong(1), closed(1006)]).effects.at(-1).upTo, 500);
});

test("attempts are counted from the last connection that was up", () => {
  const limit = { maxAttempts: 2 };
  const twoAttempts = ["connect", closed(1006), "timer:backoff", closed(1006), "timer:backoff"];
  assert.equal(run([...twoAttempts, closed(1006)], limit).state.failure.reason, "attempts_exhausted");
  assert.equal(run([...twoAttempts, "opened", asked(1), pong(1), closed(1006)], limit).state.phase, "waiting");
  assert.equal(run(["connect", closed(1006)], { maxAttempts: 0 }).state.phase, "failed");
});

test("the network's return makes the next attempt the first", () => {
  const lost = ["connect", closed(1006), "timer:backoff", closed(1006), "timer:backoff", closed(1006)];
  const { state, effects } = run([...lost, "online"]);
  assert.equal(state.phase, "opening");
  assert.equal(effects.at(-1).type, "open");
  assert.equal(run([...lost, "online", closed(1006)]).effects.at(-1).upTo, 500);
});

test("only what was in doubt is called a gap", () => {
  assert.equal(run(["connect", "opened"]).state.resuming, false);
  assert.equal(run(["connect", closed(1006), "timer:backoff", "opened"]).state.resuming, true);
  assert.equal(run(["connect", "opened", closed(1001), "timer:backoff", "opened"]).state.resuming, true);
  assert.equal(run(["connect", "opened", "disconnect", "connect", "opened"]).state.resuming, true);
  assert.equal(run(["connect", closed(4501), "connect", "opened"]).state.resuming, true);
});

test("a pong that answers no ping means nothing", () => {
  const { state } = run(["connect", "opened", asked(1)]);
  for (const value of [0, -1, 2, 99]) {
    assert.deepEqual(step(state, pong(value), options), { state, effects: [] });
  }
});

test("the answer is awaited from the first ping that lacks one", () => {
  const first = run(["connect", "opened", asked(1)]);
  assert.deepEqual(first.effects.map(({ timer }) => timer), ["heartbeat", "answer"]);
  const second = step(first.state, asked(2), options);
  assert.deepEqual(second.effects.map(({ timer }) => timer), ["heartbeat"]);
  const partly = step(second.state, pong(1), options);
  assert.deepEqual(partly.effects, [{ type: "start", timer: "answer", ms: 10_000 }]);
  const wholly = step(partly.state, pong(2), options);
  assert.deepEqual(wholly.effects, [{ type: "stop", timer: "answer" }]);
});

test("replies that are matched by number settle their own requests, and the oldest one is waited for", () => {
  const reply = (value) => ({ type: "answered", value, cumulative: false });
  const { state } = run(["connect", "opened", asked(3)]);
  const second = step(state, reply(2), options);
  assert.deepEqual([second.state.awaited, second.effects], [[1, 3], []]);
  const first = step(second.state, reply(1), options);
  assert.deepEqual(first.effects, [{ type: "start", timer: "answer", ms: 10_000 }]);
  const third = step(first.state, reply(3), options);
  assert.deepEqual(third.effects, [{ type: "stop", timer: "answer" }]);
  assert.deepEqual(step(third.state, reply(3), options), { state: third.state, effects: [] });
});

test("a client that is too fast pauses, for longer each time, and then asks again", () => {
  let { state } = run(["connect", "opened"]);
  for (const half of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
    const limited = step(state, { type: "limited" }, options);
    assert.deepEqual(limited.effects, [{ type: "start", timer: "pause", ms: half, upTo: half }]);
    assert.deepEqual(step(limited.state, { type: "limited" }, options).effects, [], "one pause at a time");
    const over = step(limited.state, { type: "timer:pause" }, options);
    assert.deepEqual(over.effects, [{ type: "ask_again" }]);
    state = over.state;
  }
});

test("an answer ends the row of pauses, unless one is under way", () => {
  const paused = ["connect", "opened", asked(1), "limited"];
  assert.equal(run([...paused, pong(1)]).state.pauses, 1);
  assert.equal(run([...paused, "timer:pause", pong(1)]).state.pauses, 0);
});

test("what came too fast is not waited for once something later was answered", () => {
  const reply = (value) => ({ type: "answered", value, cumulative: false });
  const paused = ["connect", "opened", asked(1), reply(1), asked(3), "limited"];
  assert.deepEqual(run(paused).state.awaited, [2, 3]);
  assert.deepEqual(run([...paused, asked(4), reply(4)]).state.awaited, []);
  assert.deepEqual(run([...paused, reply(3)]).state.awaited, [2], "it may still come");
});

test("a server may ask for more heartbeats, not for fewer, and not for a flood", () => {
  for (const [heartbeat, interval] of [[10_000, 10_000], [60_000, 25_000], [25_000, 25_000], [0, 1_000]]) {
    const { state, effects } = run(["connect", "opened", asked(1), { type: "welcome", heartbeat }]);
    assert.equal(state.interval, interval);
    assert.deepEqual(effects, interval < 25_000 ? [{ type: "start", timer: "heartbeat", ms: interval }] : []);
    assert.equal(step(state, asked(2), options).effects[0].ms, interval);
  }
});

const drained = ["connect", "opened", { type: "draining", within: 4_000 }];

test("a draining server's time is kept for the end of its connection", () => {
  for (const code of [1000, 1001, 1006, 1012, 4000, 4001, 4002]) {
    assert.equal(run([...drained, closed(code)]).effects.at(-1).upTo, 4_000, String(code));
  }
  assert.equal(run([...drained, asked(1), "timer:answer"]).effects.at(-1).upTo, 4_000);
  assert.equal(run([...drained, closed(4000), "timer:backoff", closed(1006)]).effects.at(-1).upTo, 1_000);
  assert.equal(run(["connect", "opened", closed(4000)]).effects.at(-1).upTo, 500, "not announced");
});

test("a draining server's time is not for those whom it does not want back so soon", () => {
  assert.equal(run([...drained, closed(4004)]).effects.at(-1).upTo, 20_000);
  assert.equal(run([...drained, closed(4003)]).effects.at(-1).upTo, 500);
  assert.equal(run([...drained, closed(4501)]).state.phase, "failed");
});

test("not authenticated: given up, unless the application can be asked for another token", () => {
  const refused = ["connect", "opened", closed(4500)];
  assert.equal(run(refused).state.failure.reason, "await_token");
  assert.equal(run(refused, { hasFreshTokens: true }).state.phase, "waiting");
  const again = run([...refused, "timer:backoff", "same_token"], { hasFreshTokens: true });
  assert.deepEqual([again.state.phase, again.state.failure.code], ["failed", 4500]);
  const last = run(refused, { hasFreshTokens: true, maxAttempts: 0 });
  assert.equal(last.state.failure.reason, "await_token");
});

test("an attempt for which there is no token is an attempt", () => {
  const tokenless = { type: "tokenless", message: "There is none." };
  assert.equal(run(["connect", tokenless]).effects.at(-1).upTo, 500);
  assert.equal(run(["connect", tokenless, "timer:backoff", tokenless]).effects.at(-1).upTo, 1_000);
  assert.match(run(["connect", tokenless], { maxAttempts: 0 }).state.failure.message, /There is none\./);
});

test("a token is renewed while the connection is open, and never later than a timer can run", () => {
  const { effects } = run(["connect", "opened", { type: "expiry", ms: 5_000 }]);
  assert.deepEqual(effects, [{ type: "start", timer: "token", ms: 5_000 }]);
  assert.equal(run(["connect", "opened", { type: "expiry", ms: 2 ** 40 }]).effects[0].ms, 2 ** 31 - 1);
  assert.deepEqual(run(["connect", "opened", "timer:token"]).effects, [{ type: "renew" }]);
  assert.deepEqual(run(["connect", { type: "expiry", ms: 5_000 }]).effects, []);
});

test("whatever happens, in whatever order: the invariants hold", () => {
  const codes = [1000, 1001, 1002, 1006, 1013, 4000, 4001, 4003, 4004, 4500, 4501];
  for (let seed = 1; seed <= 200; seed++) walk(seededRandom(seed), codes);
});

function walk(random, codes) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const limits = { ...options, maxAttempts: pick([0, 3, Infinity]), hasFreshTokens: pick([true, false]) };
  const timers = new Set();
  let state = idle;
  let hasSocket = false;
  for (let count = 0; count < 200; count++) {
    const input = pick([
      { type: "connect" },
      { type: "disconnect" },
      { type: "online" },
      asked((state.sent ?? 0) + 1 + Math.floor(random() * 2)),
      { type: "limited" },
      { type: "welcome", heartbeat: Math.floor(random() * 50_000) },
      { type: "draining", within: Math.floor(random() * 5_000) },
      { type: "expiry", ms: 1_000 },
      { type: "tokenless", message: "" },
      pong(Math.floor(random() * 4)),
      { type: "answered", value: Math.floor(random() * 6), cumulative: false },
      ...(hasSocket ? [{ type: "opened" }, { type: "opened" }, closed(pick(codes))] : []),
      ...[...timers].map((timer) => ({ type: `timer:${timer}` })),
    ]);
    if (input.type === "asked" && state.phase !== "open") continue;
    if (input.type === "tokenless" && state.phase === "opening") hasSocket = false;
    if (input.type === "closed") hasSocket = false;
    if (input.type.startsWith("timer:")) timers.delete(input.type.slice("timer:".length));
    const before = state;
    const { state: next, effects } = step(Object.freeze(before), input, limits);
    for (const effect of effects) {
      if (effect.type === "open") {
        assert.equal(hasSocket, false, "there is one socket at most");
        hasSocket = true;
      }
      if (effect.type === "drop") hasSocket = false;
      if (effect.type === "stop") effect.timer ? timers.delete(effect.timer) : timers.clear();
      if (effect.type === "start") timers.add(effect.timer);
      if (effect.type === "start" && effect.timer === "backoff") {
        assert.ok(effect.upTo >= 0 && effect.upTo <= limits.backoffMax);
      }
    }
    state = next;
    const isConnected = state.phase === "open";
    assert.equal(hasSocket, state.phase === "opening" || isConnected, `${before.phase}, ${input.type}: ${state.phase}`);
    const expected = { opening: ["opening"], waiting: ["backoff"], idle: [], failed: [] }[state.phase];
    if (expected) assert.deepEqual([...timers], expected);
    else assert.ok([...timers].every((timer) => ["heartbeat", "answer", "pause", "token"].includes(timer)));
    if (isConnected) {
      assert.equal(timers.has("answer"), state.awaited.length > 0, "what is open is waited for");
      assert.equal(timers.has("pause"), state.pausing, "a pause ends");
      const inOrder = [...new Set(state.awaited)].sort((a, b) => a - b);
      assert.deepEqual(state.awaited, inOrder);
      assert.ok(state.awaited.every((number) => number >= 1 && number <= state.sent));
    }
    assert.equal(state.phase === "failed", state.failure !== undefined);
    if (input.type === "disconnect") assert.equal(state.phase, "idle");
    if (input.type === "closed" && state.phase === "waiting") {
      assert.match(closeAdvice(input.code), limits.hasFreshTokens ? /^re(connect|fresh)|await/ : /^re(connect|fresh)/);
    }
    if (before.phase === "idle" || before.phase === "failed") {
      assert.ok(input.type === "connect" || state.phase === before.phase || state.phase === "idle");
    }
  }
}
