import assert from "node:assert/strict";
import { test } from "node:test";
import { Repeats } from "../tidings/repeats.js";
import { Subscriber, Subscriptions } from "../tidings/subscriptions.js";

const granted = (position, recovered = false) => ({ channel: "order", position, recovered, spread_ms: null });

/** Subscribers of one channel, of which the server has been asked in request 1. */
function asked(...sinces) {
  const subscriptions = new Subscriptions();
  const subscribers = sinces.map((since) => new Subscriber("order", () => {}, { since }));
  for (const subscriber of subscribers) subscriptions.add(subscriber);
  subscriptions.asked(["order"], 1, { resumes: true });
  return { subscriptions, subscribers };
}

/** Tells every subscriber, and returns the reason of each one's `stale`, or null. */
function tellAll(subscriptions, tellings) {
  return tellings.map((telling) => {
    subscriptions.tell(telling);
    return subscriptions.tellStale(telling) ? telling.stale.payload.reason : null;
  });
}

const event = (position, name = "updated") => ({ channel: "order", event: name, payload: {}, position });

test("a channel is due until it was asked for, and to be left when nobody hears it", () => {
  const subscriptions = new Subscriptions();
  const subscriber = new Subscriber("order", () => {});
  assert.deepEqual(subscriptions.due(), { subscribe: [], unsubscribe: [] });
  subscriptions.add(subscriber);
  assert.deepEqual(subscriptions.due(), { subscribe: ["order"], unsubscribe: [] });
  subscriptions.asked(["order"], 1);
  assert.deepEqual(subscriptions.due(), { subscribe: [], unsubscribe: [] });
  subscriptions.remove(subscriber);
  assert.deepEqual(subscriptions.due(), { subscribe: [], unsubscribe: ["order"] });
  subscriptions.left(["order"]);
  assert.deepEqual(subscriptions.due(), { subscribe: [], unsubscribe: [] });
});

test("nothing is kept of a channel that nobody hears and the server does not hold", () => {
  for (const prepare of [
    () => {},
    (subscriptions) => (subscriptions.asked(["order"], 1), subscriptions.refuse("order", "forbidden")),
    (subscriptions) => (subscriptions.asked(["order"], 1), subscriptions.refuse("order", "rate_limited")),
    (subscriptions) => (subscriptions.asked(["order"], 1), subscriptions.reset()),
  ]) {
    const subscriptions = new Subscriptions();
    const subscriber = new Subscriber("order", () => {});
    subscriptions.add(subscriber);
    prepare(subscriptions);
    subscriptions.remove(subscriber);
    assert.deepEqual(subscriptions.due(), { subscribe: [], unsubscribe: [] });
  }
});

test("asked from the oldest position of one log", () => {
  for (const [sinces, expected] of [
    [[null], null],
    [["nonsense"], null],
    [["a:9", "a:10", "a:8"], "a:8"],
    [[null, "a:9"], "a:9"],
    [["a:9", "b:1"], "a:9"],
  ]) {
    const { subscriptions } = asked(...sinces);
    assert.equal(subscriptions.since("order"), expected);
  }
});

test("what each is told when the server answers", () => {
  for (const [sinces, answer, reasons] of [
    [[null], granted("a:5"), [null]],
    [["a:3"], granted("a:5", true), [null]],
    [["a:3"], granted("a:5"), ["gap"]],
    [["a:3"], granted("b:5"), ["epoch"]],
    [["a:3"], granted(null), ["gap"]],
    [["nonsense"], granted("a:5"), ["gap"]],
    [["a:3", "b:7", null], granted("a:5", true), [null, "epoch", null]],
    [["a:3", "a:4", null], granted("a:5"), ["gap", "gap", null]],
  ]) {
    const { subscriptions } = asked(...sinces);
    assert.deepEqual(tellAll(subscriptions, subscriptions.confirm(answer, 1)), reasons, JSON.stringify(sinces));
  }
});

test("who was told that it hears everything is stale when it does not", () => {
  const { subscriptions } = asked(null);
  tellAll(subscriptions, subscriptions.confirm(granted("a:5"), 1));
  subscriptions.reset();
  assert.equal(subscriptions.since("order"), "a:5");
  subscriptions.asked(["order"], 1, { resumes: true });
  assert.deepEqual(tellAll(subscriptions, subscriptions.confirm(granted("a:9"), 1)), ["gap"]);
  assert.equal(subscriptions.since("order"), "a:9");
});

test("who was not told yet has missed as much the next time", () => {
  for (const [since, expected] of [["a:3", "a:3"], ["nonsense", null]]) {
    const { subscriptions } = asked(since);
    const [telling] = subscriptions.confirm(granted("a:9"), 1);
    assert.equal(subscriptions.since("order"), expected);
    subscriptions.tell(telling);
    assert.equal(subscriptions.since("order"), expected, "that it is stale comes after that it is subscribed");
    subscriptions.tellStale(telling);
    assert.equal(subscriptions.since("order"), "a:9");
  }
});

test("an answer counts for its own request, and once", () => {
  const { subscriptions } = asked(null);
  assert.deepEqual(subscriptions.confirm(granted("a:5"), 2), []);
  assert.equal(subscriptions.confirm(granted("a:5"), 1).length, 1);
  assert.deepEqual(subscriptions.confirm(granted("a:5"), 1), []);
  assert.deepEqual(subscriptions.confirm({ ...granted("a:5"), channel: "other" }, 1), []);
  subscriptions.refuse("order", "forbidden", 2);
  assert.equal(subscriptions.isLive("order"), true);
  subscriptions.refuse("order", "forbidden");
  assert.equal(subscriptions.isLive("order"), false);
});

test("events are taken once and move the position", () => {
  const { subscriptions, subscribers } = asked(null);
  tellAll(subscriptions, subscriptions.confirm(granted("a:5"), 1));
  const take = (...values) => subscriptions.take(subscribers[0], event(...values));
  const taken = ["a:5", "a:6", "a:6", "a:10", "a:9"].map((position) => take(position));
  assert.deepEqual(taken, [false, true, false, true, false]);
  assert.deepEqual([take("a:9", "stale"), take(undefined), take("b:1")], [true, true, true]);
  assert.equal(subscriptions.since("order"), "b:1");
  subscriptions.remove(subscribers[0]);
  assert.equal(take("b:2"), false);
});

test("a refusal is forgotten where it may no longer hold", () => {
  const { subscriptions } = asked(null);
  const isDue = () => subscriptions.due().subscribe.length === 1;
  const refuse = (code) => (subscriptions.asked(["order"], 1), subscriptions.refuse("order", code));
  refuse("forbidden");
  subscriptions.askAgain();
  subscriptions.retryRefused(["unauthenticated"]);
  assert.equal(isDue(), false);
  subscriptions.retryRefused(["forbidden"]);
  assert.equal(isDue(), true);
  refuse("rate_limited");
  subscriptions.retryRefused(["rate_limited"]);
  assert.equal(isDue(), false);
  subscriptions.askAgain();
  assert.equal(isDue(), true);
  refuse("forbidden");
  subscriptions.add(new Subscriber("order", () => {}));
  assert.equal(isDue(), true);
});

test("what may have been ignored is asked for again, unless it was answered", () => {
  const { subscriptions } = asked(null);
  subscriptions.add(new Subscriber("contact", () => {}));
  subscriptions.asked(["contact"], 2);
  subscriptions.doubt();
  subscriptions.confirm(granted("a:5"), 1);
  assert.deepEqual(subscriptions.confirmUpTo(9), [], "one answer for all says nothing of it");
  subscriptions.askAgain();
  assert.deepEqual(subscriptions.due().subscribe, ["contact"]);
});

test("only who hears several channels has repeats, and only on another one", () => {
  const repeats = new Repeats();
  const [several, single] = [() => {}, () => {}];
  repeats.hold(single, "a");
  for (const channel of ["a", "b", "b"]) repeats.hold(several, channel);
  const heard = [[several, "a"], [several, "a"], [several, "b"], [single, "a"], [single, "a"]];
  assert.deepEqual(heard.map(([handler, channel]) => repeats.isRepeat(handler, channel, "e:1")), [
    false,
    false,
    true,
    false,
    false,
  ]);
  for (const channel of ["b", "b", "a"]) repeats.release(several, channel);
  for (const channel of ["b", "a"]) repeats.hold(several, channel);
  assert.equal(repeats.isRepeat(several, "b", "e:1"), false, "it may have forgotten");
});

test("no more than the newest thousand positions are remembered", () => {
  const repeats = new Repeats();
  const handler = () => {};
  for (const channel of ["a", "b"]) repeats.hold(handler, channel);
  for (let offset = 0; offset <= 1_000; offset++) repeats.isRepeat(handler, "a", `e:${offset}`);
  assert.equal(repeats.isRepeat(handler, "b", "e:1000"), true);
  assert.equal(repeats.isRepeat(handler, "b", "e:1"), true);
  assert.equal(repeats.isRepeat(handler, "b", "e:0"), false);
});
