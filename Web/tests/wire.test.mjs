import assert from "node:assert/strict";
import { test } from "node:test";
import { closeAdvice, decodeServerMessage, isValidChannel } from "../tidings.js";
import { channelMessages } from "../tidings/wire.js";
import { vectors } from "./support.mjs";

for (const { name, text, message } of await vectors("plain-server-messages")) {
  test(`a frame is decoded: ${name}`, () => {
    assert.deepEqual(decodeServerMessage(text), message);
  });
}

test("what is no text is ignored", () => {
  for (const data of [new ArrayBuffer(2), null, undefined, 7, {}]) assert.equal(decodeServerMessage(data), null);
});

test("a pong without an integer and an error without a code are ignored", () => {
  const pongs = ['{"pong":"1"}', '{"pong":null}', '{"pong":1.5}'];
  for (const frame of [...pongs, '{"error":"no"}', '{"error":{"code":7}}', "null"]) {
    assert.equal(decodeServerMessage(frame), null, frame);
  }
});

test("an error needs no message", () => {
  const expected = { type: "error", code: "later", message: "", channel: null };
  assert.deepEqual(decodeServerMessage('{"error":{"code":"later"}}'), expected);
});

test("a payload cannot reach the prototype", () => {
  const { payload } = decodeServerMessage('{"channel":"a","event":"b","payload":{"__proto__":{"polluted":true}}}');
  assert.equal({}.polluted, undefined);
  assert.equal(Object.getPrototypeOf(payload), Object.prototype);
});

for (const { code, sent_by: sender, advice } of await vectors("close-codes")) {
  test(`close code ${code} sent by the ${sender}: ${advice}`, () => {
    assert.equal(closeAdvice(code, sender === "server"), advice);
  });
}

test("every code beyond the table follows its range", () => {
  for (let code = 4502; code <= 4999; code++) assert.equal(closeAdvice(code), "stay_away");
  for (let code = 4005; code <= 4499; code++) assert.equal(closeAdvice(code), "reconnect");
  for (const code of [0, 1004, 1014, 1015, 2999, 3500, 5000]) assert.equal(closeAdvice(code), "reconnect");
});

test("channel names", () => {
  const valid = ["o", "order", "order:123", "list-items:7", "küche", "漢字", "🍔", "a".repeat(255), "é".repeat(127)];
  for (const name of valid) assert.equal(isValidChannel(name), true, name);
});

test("what is no channel name", () => {
  const whiteSpace = [" ", "\t", "\n", "\u00a0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202f", "\u3000"];
  const control = ["\u0000", "\u001f", "\u007f", "\u0080", "\u0085", "\u009f"];
  for (const scalar of [...whiteSpace, ...control]) {
    assert.equal(isValidChannel(`my${scalar}order`), false, JSON.stringify(scalar));
  }
  for (const name of ["", "a".repeat(256), "é".repeat(128), "🍔".repeat(64), "\ud83c", "a\udf54"]) {
    assert.equal(isValidChannel(name), false, JSON.stringify(name));
  }
  for (const value of [undefined, null, 7, {}, ["order"], new String("order")]) {
    assert.equal(isValidChannel(value), false);
  }
});

test("a list that fits is one message, and none is none", () => {
  assert.deepEqual(channelMessages("subscribe", ["a", "b"]), [{ subscribe: ["a", "b"] }]);
  assert.deepEqual(channelMessages("unsubscribe", []), []);
});

test("a long list is split, keeps its order and loses nothing", () => {
  const channels = Array.from({ length: 700 }, (_, index) => `${index}:${"漢".repeat(80)}`);
  const messages = channelMessages("subscribe", channels);
  assert.ok(messages.length > 1);
  assert.deepEqual(messages.flatMap(({ subscribe }) => subscribe), channels);
  for (const message of messages) {
    assert.ok(Buffer.byteLength(JSON.stringify({ ...message, ping: Number.MAX_SAFE_INTEGER })) < 48 * 1024);
  }
});

test("a message is filled up to its limit and not beyond, whatever has to be escaped", () => {
  const channels = ["a", "é", 'quote"', "back\\slash", "bbbb", "c"];
  for (let limit = 40; limit < 120; limit++) {
    const messages = channelMessages("unsubscribe", channels, { limit });
    assert.deepEqual(messages.flatMap(({ unsubscribe }) => unsubscribe), channels);
    for (const message of messages) assert.ok(Buffer.byteLength(JSON.stringify(message)) <= limit, `limit ${limit}`);
  }
});
