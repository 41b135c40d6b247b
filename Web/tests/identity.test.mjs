import assert from "node:assert/strict";
import { test } from "node:test";
import { expiryOf, refreshDelay, TokenSource } from "../tidings/identity.js";
import { Answers, EPOCH, makeToken, settle } from "./support.mjs";

test("a fresh token is asked for half a minute ahead, or when four fifths of a short life have passed", () => {
  assert.equal(refreshDelay(3_600_000), 3_570_000);
  assert.equal(refreshDelay(150_000), 120_000);
  assert.equal(refreshDelay(60_000), 48_000);
  assert.equal(refreshDelay(10_000), 8_000);
  assert.equal(refreshDelay(1_100), 1_000);
});

test("a token that is at its end is left to expire", () => {
  for (const remaining of [1_000, 0, -5_000, NaN]) assert.equal(refreshDelay(remaining), null);
});

test("an application that never has another token is asked a few times, not for ever", () => {
  let remaining = 300_000;
  let count = 0;
  for (let delay; (delay = refreshDelay(remaining)) !== null; count++) remaining -= delay;
  assert.ok(count > 1 && count < 10, String(count));
});

test("when a token expires, as it says itself", () => {
  assert.equal(expiryOf(makeToken("a", 60_000)), EPOCH + 60_000);
  assert.equal(expiryOf(makeToken("?>~ü", 60_000)), EPOCH + 60_000);
  const others = ["", "opaque", "a.b.c", "..", `a.${btoa("[]")}.c`, `a.${btoa('{"exp":"soon"}')}.c`, makeToken("a")];
  for (const token of others) assert.equal(expiryOf(token), null);
});

test("a token that can never be sent is refused at once, and not repeated in the error", () => {
  for (const token of ["two words", "a,b", "é", "a\r\nb", 7, {}]) {
    const isSilent = (error) => error instanceof TypeError && !error.message.includes(String(token));
    assert.throws(() => new TokenSource(token), isSilent);
  }
});

test("no token is no token, however it is said", async () => {
  for (const token of [null, undefined, ""]) {
    assert.equal(new TokenSource(token).ask("connect"), null);
    assert.equal(await new TokenSource(async () => token).ask("connect"), null);
  }
});

test("a function is told why, and answers at once or later", async () => {
  const reasons = [];
  const source = new TokenSource((reason) => (reasons.push(reason), "token"));
  assert.equal(source.ask("connect"), "token");
  assert.equal(await new TokenSource(async () => "later").ask("connect"), "later");
  source.ask("refused");
  assert.deepEqual(reasons, ["connect", "refused"]);
});

test("while the application thinks it is not asked again", async () => {
  const answers = new Answers();
  const source = new TokenSource(answers.ask);
  const heard = [];
  source.ask("refresh").then((token) => heard.push(token));
  source.ask("refresh").then((token) => heard.push(token));
  assert.equal(answers.asked.length, 1);
  await answers.answer("one");
  assert.deepEqual(heard, ["one", "one"]);
  source.ask("refresh").catch(() => heard.push("failed"));
  await answers.refuse();
  source.ask("refresh");
  assert.equal(answers.asked.length, 1);
  assert.deepEqual(heard, ["one", "one", "failed"]);
});

test("an answer that nobody waits for does not stand in for the next one", async () => {
  const answers = new Answers();
  const source = new TokenSource(answers.ask);
  const heard = [];
  source.ask("connect").then((token) => heard.push(token));
  source.abandon();
  source.ask("connect").then((token) => heard.push(token));
  assert.equal(answers.asked.length, 2);
  await answers.answer("first");
  source.ask("connect");
  assert.equal(answers.asked.length, 1, "the second question is still open");
  await answers.answer("second");
  await settle();
  assert.deepEqual(heard, ["first", "second"]);
});

test("the token that was refused is known until the client starts afresh", () => {
  const source = new TokenSource("a");
  assert.equal(source.isRefused("a"), false);
  source.current = "a";
  source.refuse();
  assert.equal(source.isRefused("a"), true);
  assert.equal(source.isRefused("b"), false);
  assert.equal(source.isRefused(null), false);
  source.reset();
  assert.equal(source.isRefused("a"), false);
});
