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
const pong = (value) => ({ type: "pong", value });

const paths = [
  ["nothing happened", [], "disconnected"],
  ["connect", ["connect"], "connecting"],
  ["opened", ["connect", "opened"], "connected"],
  ["lost", ["connect", "opened", closed(1006)], "reconnecting"],
  ["first attempt lost", ["connect", closed(1006)], "reconnecting"],
  ["next attempt", ["connect", closed(1006), "timer:backoff"], "reconnecting"],
  ["back again", ["connect", closed(1006), "timer:backoff", "opened"], "connected"],
  ["attempt timed out", ["connect", "timer:opening"], "reconnecting"],
  ["no answer", ["connect", "opened", "pinged", "timer:answer"], "reconnecting"],
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
  const { effects: unproven } = run(["connect", closed(1006), "timer:backoff", "opened", "pinged", closed(1013)]);
  assert.equal(unproven.at(-1).upTo, 1_000);
  const up = ["connect", closed(1006), "timer:backoff", "opened", "pinged", pong(1)];
  assert.equal(run([...up, closed(1013)]).effects.at(-1).upTo, 500);
});

test("too many connections: the longest backoff, until a connection was up", () => {
  const before = ["connect", "opened", closed(4004)];
  assert.equal(run(before).effects.at(-1).upTo, 20_000);
  assert.equal(run([...before, "timer:backoff", closed(1006)]).effects.at(-1).upTo, 20_000);
  assert.equal(run([...before, "timer:backoff", "opened", "pinged", pong(1), closed(1006)]).effects.at(-1).upTo, 500);
});

test("attempts are counted from the last connection that was up", () => {
  const limit = { maxAttempts: 2 };
  const twoAttempts = ["connect", closed(1006), "timer:backoff", closed(1006), "timer:backoff"];
  assert.equal(run([...twoAttempts, closed(1006)], limit).state.failure.reason, "attempts_exhausted");
  assert.equal(run([...twoAttempts, "opened", "pinged", pong(1), closed(1006)], limit).state.phase, "waiting");
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
  const { state } = run(["connect", "opened", "pinged"]);
  for (const value of [0, -1, 2, 99]) {
    assert.deepEqual(step(state, pong(value), options), { state, effects: [] });
  }
});

test("the answer is awaited from the first ping that lacks one", () => {
  const first = run(["connect", "opened", "pinged"]);
  assert.deepEqual(first.effects.map(({ timer }) => timer), ["heartbeat", "answer"]);
  const second = step(first.state, { type: "pinged" }, options);
  assert.deepEqual(second.effects.map(({ timer }) => timer), ["heartbeat"]);
  const partly = step(second.state, pong(1), options);
  assert.deepEqual(partly.effects, [{ type: "start", timer: "answer", ms: 10_000 }]);
  const wholly = step(partly.state, pong(2), options);
  assert.deepEqual(wholly.effects, [{ type: "stop", timer: "answer" }]);
});

test("whatever happens, in whatever order: the invariants hold", () => {
  const codes = [1000, 1001, 1002, 1006, 1013, 4000, 4001, 4003, 4004, 4500, 4501];
  for (let seed = 1; seed <= 200; seed++) walk(seededRandom(seed), codes);
});

function walk(random, codes) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  const limits = { ...options, maxAttempts: pick([0, 3, Infinity]) };
  const timers = new Set();
  let state = idle;
  let hasSocket = false;
  for (let count = 0; count < 200; count++) {
    const input = pick([
      { type: "connect" },
      { type: "disconnect" },
      { type: "online" },
      { type: "pinged" },
      pong(Math.floor(random() * 4)),
      ...(hasSocket ? [{ type: "opened" }, { type: "opened" }, closed(pick(codes))] : []),
      ...[...timers].map((timer) => ({ type: `timer:${timer}` })),
    ]);
    if (input.type === "pinged" && state.phase !== "open") continue;
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
    else assert.ok([...timers].every((timer) => timer === "heartbeat" || timer === "answer"));
    if (isConnected) assert.equal(timers.has("answer"), state.sent > state.answered, "an open ping is waited for");
    assert.equal(state.phase === "failed", state.failure !== undefined);
    if (input.type === "disconnect") assert.equal(state.phase, "idle");
    if (input.type === "closed" && state.phase === "waiting") {
      assert.match(closeAdvice(input.code), /^re(connect|fresh)/);
    }
    if (before.phase === "idle" || before.phase === "failed") {
      assert.ok(input.type === "connect" || state.phase === before.phase || state.phase === "idle");
    }
  }
}
