import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeExtendedMessage } from "../tidings.js";
import { isKnown, parsePosition } from "../tidings/position.js";
import { channelMessages } from "../tidings/wire.js";
import { textOf, vectors } from "./support.mjs";

for (const { name, text, message } of await vectors("extended-server-messages")) {
  test(`a frame of the extended dialect is decoded: ${name}`, () => {
    assert.deepEqual(decodeExtendedMessage(text), message);
  });
}

test("what is no text is ignored", () => {
  for (const data of [new ArrayBuffer(2), null, undefined, 7, {}]) assert.equal(decodeExtendedMessage(data), null);
});

test("a welcome tells whose token came with the connection", () => {
  const welcome = { connection: "c-1", server: "tidings/0.1.0", heartbeat_ms: 25_000 };
  const authenticated = { subject: "42", expires_at: "2026-01-02T03:04:05.678Z" };
  const decoded = decodeExtendedMessage(JSON.stringify({ welcome: { ...welcome, authenticated } }));
  assert.deepEqual(decoded, { type: "welcome", ...welcome, authenticated });
});

// What a client of this runtime says: subscribe with since, and unsubscribe.
for (const { title, text, message, error } of await vectors("extended-client-messages")) {
  const { id, subscribe, unsubscribe, since = {}, ...others } = message ?? {};
  const said = error ? null : JSON.parse(textOf(text));
  const isSaid = said && Object.keys(others).length === 0 && subscribe && !unsubscribe && id !== undefined;
  const isReadable = (channel) => since[channel] !== null && said.since[channel] === since[channel];
  const isCanonical = isSaid && Object.keys(said.since ?? {}).every(isReadable);
  if (!isCanonical || (said.since && Object.keys(said.since).length === 0)) continue;
  test(`a request of the extended dialect is written: ${title}`, () => {
    const positions = new Map(Object.entries(since));
    const [written, ...more] = channelMessages("subscribe", subscribe, {
      since: (channel) => positions.get(channel) ?? null,
    });
    assert.deepEqual(more, []);
    assert.deepEqual(JSON.parse(JSON.stringify({ id, ...written })), said);
  });
}

for (const { title, text, position } of await vectors("positions")) {
  test(`a position: ${title}`, () => {
    const parsed = parsePosition(textOf(text));
    if (position === null) return assert.equal(parsed, null);
    assert.equal(parsed.epoch, textOf(position.epoch));
    assert.equal(String(parsed.offset), position.offset);
    assert.equal(parsed.text, textOf(text));
  });
}

test("what is no text is no position", () => {
  for (const value of [null, undefined, 41, {}, ["k3f9:41"]]) assert.equal(parsePosition(value), null);
});

test("positions are compared within their epoch, and beyond the precision of a number", () => {
  const isKnownUpTo = (known, position) => isKnown(parsePosition(known), parsePosition(position));
  assert.equal(isKnownUpTo("a:41", "a:41"), true);
  assert.equal(isKnownUpTo("a:100", "a:41"), true);
  assert.equal(isKnownUpTo("a:9", "a:41"), false);
  assert.equal(isKnownUpTo("b:100", "a:41"), false);
  assert.equal(isKnownUpTo("a:9007199254740992", "a:9007199254740993"), false);
  assert.equal(isKnown(null, parsePosition("a:1")), false);
  assert.equal(isKnown(parsePosition("a:1"), null), false);
});

test("no message names more than a hundred channels", () => {
  const channels = Array.from({ length: 256 }, (_, index) => `order:${index}`);
  const messages = channelMessages("subscribe", channels);
  assert.deepEqual(messages.map(({ subscribe }) => subscribe.length), [100, 100, 56]);
  assert.deepEqual(messages.flatMap(({ subscribe }) => subscribe), channels);
});

test("a message has the positions of its own channels, and stays within its limit", () => {
  const channels = ["a", "é", 'quote"', "back\\slash", "bbbb", "c", "__proto__"];
  const since = (channel) => (channel === "bbbb" ? null : `k3f9:${channel.length}`);
  for (let limit = 70; limit < 260; limit++) {
    const messages = channelMessages("subscribe", channels, { since, limit });
    assert.deepEqual(messages.flatMap(({ subscribe }) => subscribe), channels);
    for (const message of messages) {
      assert.ok(Buffer.byteLength(JSON.stringify(message)) <= limit, `limit ${limit}`);
      const expected = message.subscribe.filter((channel) => since(channel) !== null);
      assert.deepEqual(Object.keys(message.since ?? {}), expected);
      for (const channel of expected) {
        assert.equal(Object.getOwnPropertyDescriptor(message.since, channel).value, since(channel));
      }
    }
  }
});

test("the longest names with the longest positions stay far below what a server takes", () => {
  const channels = Array.from({ length: 256 }, (_, index) => `${index}:`.padEnd(255, "\u0001"));
  const since = () => `${"e".repeat(64)}:18446744073709551615`;
  for (const message of channelMessages("subscribe", channels, { since })) {
    assert.ok(Buffer.byteLength(JSON.stringify(message)) < 48 * 1024);
  }
});
