import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers, pageModule, settle } from "./support.mjs";

const { OrderStore } = await pageModule("order-store.js");
const { makeActions } = await pageModule("actions.js");
const { dishes, elapsed, minutesSince, nextStep, statusName, tableName } = await pageModule("format.js");

const burger = { id: "i1", name: "Burger", quantity: 2 };

function order(id, version = 1, changes = {}) {
  const created = `2026-01-02T03:04:0${id}Z`;
  return { id, table: "7", status: "open", note: null, items: [], version, created_at: created, ...changes };
}

function loaded(...orders) {
  const store = new OrderStore();
  store.takeAll(orders, store.fetchBegins());
  return store;
}

test("orders are shown newest first", () => {
  const store = loaded(order("1"), order("3"));
  store.learn(order("2"));
  assert.deepEqual(store.orders.map(({ id }) => id), ["3", "2", "1"]);
});

test("an order that is not in the answer is gone, unless it was learned of after the fetch began", () => {
  const store = loaded(order("1"), order("2"));
  const begunAt = store.fetchBegins();
  store.learn(order("3"));
  store.takeAll([order("2")], begunAt);
  assert.deepEqual(store.orders.map(({ id }) => id), ["3", "2"]);
  store.takeAll([order("2")], store.fetchBegins());
  assert.deepEqual(store.orders.map(({ id }) => id), ["2"]);
});

test("an answer that was overtaken does not replace what is newer", () => {
  const store = loaded(order("1", 1));
  const begunAt = store.fetchBegins();
  store.learn(order("1", 3));
  store.takeAll([order("1", 2)], begunAt);
  assert.equal(store.order("1").version, 3);
  store.learn(order("1", 2));
  assert.equal(store.order("1").version, 3);
});

test("after the server lost its data a lower version is the newer one", () => {
  const store = loaded(order("1", 9));
  store.takeAll([order("1", 1)], store.fetchBegins());
  assert.equal(store.order("1").version, 1);
});

test("taking one change back leaves the others, and what arrived meanwhile", () => {
  const store = loaded(order("1"));
  const status = store.begin("1", "status", { status: "preparing" });
  store.begin("1", "note", { note: "no onions" });
  store.take(order("1", 2, { table: "8" }), store.fetchBegins());
  const { status: shown, note, table } = store.order("1");
  assert.deepEqual([shown, note, table], ["preparing", "no onions", "8"]);
  store.discard(status);
  const after = store.order("1");
  assert.deepEqual([after.status, after.note, after.table], ["open", "no onions", "8"]);
});

test("a dish is shown once, at every moment of its way", () => {
  const store = loaded(order("1"));
  const shown = () => store.order("1").items.map(({ name, change }) => `${name} ${change?.state ?? "there"}`);
  const change = store.begin("1", "item", { name: "Burger", quantity: 2 });
  assert.deepEqual(shown(), ["Burger sending"]);
  const early = store.fetchBegins();
  store.settleItem(change, burger);
  assert.deepEqual(shown(), ["Burger there"]);
  store.take(order("1", 1), early);
  assert.deepEqual(shown(), ["Burger there"], "an answer from before the dish");
  store.take(order("1", 2, { items: [burger] }), early);
  assert.deepEqual(shown(), ["Burger there"], "an answer that has it");
  store.take(order("1", 3), store.fetchBegins());
  assert.deepEqual(shown(), [], "an answer from after it was removed again");
});

test("an order that is gone is forgotten, unless something newer is known of it", () => {
  const store = loaded(order("1"));
  const begunAt = store.fetchBegins();
  store.learn(order("1", 2));
  store.forget("1", begunAt);
  assert.ok(store.order("1"));
  store.forget("1", store.fetchBegins());
  assert.equal(store.order("1"), null);
});

test("each change is told", () => {
  const store = new OrderStore();
  let count = 0;
  store.onChange(() => (count += 1));
  assert.equal(store.isLoaded, false);
  store.takeAll([order("1")], store.fetchBegins());
  assert.equal(store.isLoaded, true);
  const change = store.begin("1", "item", { name: "Burger", quantity: 1 });
  store.fail(change);
  store.beginAgain(change);
  store.discard(change);
  assert.equal(count, 5);
});

function counter() {
  const server = new Answers();
  const store = loaded(order("1"), order("2"));
  const reports = [];
  const refreshed = [];
  const api = Object.fromEntries(
    ["createOrder", "changeOrder", "addItem"].map((name) => [name, (...values) => server.ask(name, ...values)]),
  );
  const refresher = { refresh: (id) => refreshed.push(id), refreshAll: () => refreshed.push("all") };
  const actions = makeActions({ store, api, refresher, report: ({ message }) => reports.push(message) });
  return { server, store, reports, refreshed, actions };
}

test("changes of one order are sent one after the other, those of another beside them", async () => {
  const { actions, server, store } = counter();
  actions.setStatus("1", "preparing");
  actions.setStatus("1", "ready");
  actions.setNote("2", "no onions");
  await settle();
  assert.equal(store.order("1").status, "ready");
  assert.deepEqual(server.questions, [
    ["changeOrder", "1", { status: "preparing" }],
    ["changeOrder", "2", { note: "no onions" }],
  ]);
  await server.answer(order("1", 2, { status: "preparing" }));
  assert.deepEqual(server.questions[1], ["changeOrder", "1", { status: "ready" }]);
  assert.equal(store.order("1").status, "ready", "the second change is still on top");
});

test("a change that fails is taken back, reported, and looked up; the next one is sent all the same", async () => {
  const { actions, server, store, reports, refreshed } = counter();
  const first = actions.setStatus("1", "preparing");
  const second = actions.setNote("1", "no onions");
  await settle();
  await server.refuse(new Error("The kitchen is closed."));
  assert.equal(await first, false);
  assert.equal(store.order("1").status, "open");
  assert.deepEqual([reports, refreshed], [["The kitchen is closed."], ["1"]]);
  await server.answer(order("1", 2, { note: "no onions" }));
  assert.equal(await second, true);
  assert.equal(store.order("1").note, "no onions");
});

test("a dish that fails stays, and can be sent again or taken back", async () => {
  const { actions, server, store, refreshed } = counter();
  actions.addItem("1", "Burger", 2);
  await settle();
  await server.refuse();
  const [{ change }] = store.order("1").items;
  assert.equal(change.state, "failed");
  const again = actions.sendAgain(change);
  assert.equal(store.order("1").items[0].change.state, "sending");
  await settle();
  assert.deepEqual(server.questions, [["addItem", "1", { name: "Burger", quantity: 2 }]]);
  await server.answer(burger);
  assert.equal(await again, true);
  assert.deepEqual(store.order("1").items.map(({ id, change: pending }) => [id, pending]), [["i1", null]]);
  assert.deepEqual(refreshed, ["1", "1"]);

  actions.addItem("1", "Lemonade", 1);
  await settle();
  await server.refuse();
  actions.discard(store.order("1").items[1].change);
  assert.equal(store.order("1").items.length, 1);
});

test("an order is opened, or the failure reported", async () => {
  const { actions, server, store, reports } = counter();
  const opened = actions.open("9");
  await server.answer(order("5", 1, { table: "9" }));
  assert.equal((await opened).id, "5");
  assert.equal(store.order("5").table, "9");
  const refused = actions.open("9");
  await server.refuse(new Error("No such table."));
  assert.equal(await refused, null);
  assert.deepEqual(reports, ["No such table."]);
});

test("what the page calls things", () => {
  assert.deepEqual([0, 1, 59, 60, 65, 120].map(elapsed), ["now", "1 min", "59 min", "1 h", "1 h 5 min", "2 h"]);
  assert.equal(minutesSince("2026-01-02T03:00:00Z", Date.parse("2026-01-02T03:03:59Z")), 3);
  assert.equal(minutesSince("2026-01-02T03:00:00Z", Date.parse("2026-01-02T02:00:00Z")), 0);
  assert.deepEqual(["7", "7b", "Terrace 2"].map(tableName), ["Table 7", "Table 7b", "Terrace 2"]);
  assert.equal(dishes([]), "empty");
  assert.equal(dishes([{ quantity: 1 }]), "1 dish");
  assert.equal(dishes([{ quantity: 2 }, { quantity: 1 }]), "3 dishes");
  const steps = ["open", "preparing", "ready", "served", "cancelled"].map((status) => nextStep(status)?.status ?? null);
  assert.deepEqual(steps, ["preparing", "ready", "served", null, null]);
  assert.equal(statusName("later"), "later");
});
