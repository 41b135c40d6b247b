import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers, ManualClock, pageModule, settle } from "./support.mjs";

const { Refresher } = await pageModule("refresher.js");

function make() {
  const server = new Answers();
  const clock = new ManualClock();
  const trouble = [];
  const refresher = new Refresher({
    fetchAll: () => server.ask("all"),
    fetchOne: (id) => server.ask(id),
    onTrouble: (isInTrouble) => trouble.push(isInTrouble),
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
  });
  return { refresher, server, clock, trouble };
}

test("what is asked for in one go is one fetch", async () => {
  const { refresher, server } = make();
  for (let count = 0; count < 10; count++) refresher.refreshAll();
  refresher.refresh("1");
  await settle();
  assert.deepEqual(server.questions, [["all"]]);
  await server.answer();
  assert.deepEqual(server.questions, []);
});

test("one under way, one behind it, however many are asked for", async () => {
  const { refresher, server } = make();
  refresher.refresh("1");
  await settle();
  for (let count = 0; count < 1_000; count++) {
    refresher.refresh("1");
    await settle();
  }
  assert.deepEqual(server.questions, [["1"]]);
  await server.answer();
  assert.deepEqual(server.questions, [["1"]], "what came meanwhile is fetched once more");
  await server.answer();
  assert.deepEqual(server.questions, []);
});

test("changes that never pause do not keep a fetch from starting", async () => {
  const { refresher, server } = make();
  let fetches = 0;
  for (let count = 0; count < 100; count++) {
    refresher.refresh("1");
    await settle();
    if (count % 2) {
      await server.answer();
      fetches += 1;
    }
  }
  assert.equal(fetches, 50);
});

test("a few entities are fetched one by one, many all at once", async () => {
  const { refresher, server } = make();
  for (const id of ["1", "2", "1"]) refresher.refresh(id);
  await settle();
  assert.deepEqual(server.questions, [["1"], ["2"]]);
  for (const id of ["3", "4", "5", "6", "7"]) refresher.refresh(id);
  await server.answer();
  await server.answer();
  assert.deepEqual(server.questions, [["all"]]);
});

test("what could not be fetched is tried again, later and later", async () => {
  const { refresher, server, clock, trouble } = make();
  refresher.refresh("1");
  await settle();
  for (const delay of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
    await server.refuse();
    assert.deepEqual(clock.pending, [delay]);
    clock.advance(delay);
    await settle();
    assert.deepEqual(server.questions, [["1"]]);
  }
  assert.deepEqual(trouble, [true]);
  await server.answer();
  assert.deepEqual(trouble, [true, false]);
  assert.deepEqual(clock.pending, []);
});

test("a new wish does not wait for the retry, and takes the old one along", async () => {
  const { refresher, server, clock } = make();
  refresher.refresh("1");
  await settle();
  await server.refuse();
  refresher.refresh("2");
  await settle();
  assert.deepEqual(server.questions, [["1"], ["2"]]);
  assert.deepEqual(clock.pending, []);
});

test("a failed fetch of everything stays one of everything", async () => {
  const { refresher, server, clock } = make();
  refresher.refreshAll();
  await settle();
  await server.refuse();
  clock.advance(1_000);
  await settle();
  assert.deepEqual(server.questions, [["all"]]);
});
