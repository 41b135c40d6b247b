import assert from "node:assert/strict";
import { test } from "node:test";
import { pageModule } from "./support.mjs";

const { EntityStore } = await pageModule("entity-store.js");

const burger = { id: "i1", name: "Burger", quantity: 2 };

function order(id, version = 1, changes = {}) {
  return { id, table: "7", status: "open", note: null, items: [], version, ...changes };
}

const page = (orders, position = "e:1") => [{ items: orders, position }];

function loaded(...orders) {
  const store = new EntityStore();
  store.takeAll(page(orders), store.fetchBegins());
  return store;
}

function begin(store, kind, value, id = `${kind}-1`) {
  const change = { id, entityId: "1", kind, value, state: "sending" };
  store.begin(change);
  return change;
}

const ids = (store) => store.all.map(({ id }) => id);

test("an order that is not in the answer is gone, unless it was learned of after the fetch began", () => {
  const store = loaded(order("1"), order("2"));
  const begunAt = store.fetchBegins();
  store.learn(order("3"), "e:2");
  store.takeAll(page([order("2")]), begunAt);
  assert.deepEqual(ids(store), ["2", "3"]);
  store.takeAll(page([order("2")]), store.fetchBegins());
  assert.deepEqual(ids(store), ["2"]);
});

test("an answer has pages, and each is known up to its own position", () => {
  const store = new EntityStore();
  store.takeAll([...page([order("1")], "e:4"), ...page([order("2")], "e:6")], store.fetchBegins());
  assert.deepEqual([store.known("1").position, store.known("2").position], ["e:4", "e:6"]);
});

test("a further page takes nothing away", () => {
  const store = loaded(order("1"));
  store.take(page([order("2")]), store.fetchBegins());
  assert.deepEqual(ids(store), ["1", "2"]);
});

test("an answer that was overtaken does not replace what is newer", () => {
  const store = loaded(order("1", 1));
  const begunAt = store.fetchBegins();
  store.learn(order("1", 3), "e:3");
  store.takeAll(page([order("1", 2)]), begunAt);
  assert.equal(store.get("1").version, 3);
  store.learn(order("1", 2), "e:2");
  assert.equal(store.get("1").version, 3);
});

test("after the server lost its data a lower version is the newer one", () => {
  const store = loaded(order("1", 9));
  store.takeAll(page([order("1", 1)], "f:1"), store.fetchBegins());
  assert.equal(store.get("1").version, 1);
});

test("an event is contained in what is known by its position or by its version, of the same log only", () => {
  const store = new EntityStore();
  store.takeAll(page([order("1", 5)], "e:10"), store.fetchBegins());
  const contains = (version, position, id = "1") => store.contains({ entity_id: id, version }, position);
  assert.equal(contains(5, "e:12"), true, "the version is shown");
  assert.equal(contains(6, "e:11"), false);
  assert.equal(contains(6, "e:10"), true, "read at that position");
  assert.equal(contains(6, "e:9"), true);
  assert.equal(contains(2, "f:9"), false, "another log says nothing about this one");
  assert.equal(contains(5, undefined), false, "a server without positions");
  assert.equal(contains(1, "e:1", "2"), false, "an order that is not known");
  assert.equal(contains(6, "e:9007199254740993"), false, "larger than a number can hold");
});

test("taking one change back leaves the others, and what arrived meanwhile", () => {
  const store = loaded(order("1"));
  const status = begin(store, "patch", { status: "preparing" }, "a");
  begin(store, "patch", { note: "no onions" }, "b");
  store.take(page([order("1", 2, { table: "8" })]), store.fetchBegins());
  const shown = () => ["status", "note", "table"].map((field) => store.get("1")[field]);
  assert.deepEqual(shown(), ["preparing", "no onions", "8"]);
  store.discard(status);
  assert.deepEqual(shown(), ["open", "no onions", "8"]);
});

test("an order that is opened here shows at once, can be added to, and is one with the server's", () => {
  const store = loaded();
  const created = begin(store, "create", order("1", 0));
  const added = begin(store, "addItem", burger);
  assert.deepEqual(store.get("1").items.map(({ name }) => name), ["Burger"]);
  assert.equal(store.known("1"), null, "the server has said nothing yet");
  store.settle(created, order("1", 1, { reference: "ORD-000001" }), "e:2");
  assert.deepEqual([store.all.length, store.get("1").reference, store.get("1").items.length], [1, "ORD-000001", 1]);
  store.discard(added);
  assert.deepEqual(store.get("1").items, []);
});

test("what is added to an order that was taken back shows nowhere", () => {
  const store = loaded();
  const created = begin(store, "create", order("1", 0));
  begin(store, "addItem", burger);
  store.discard(created);
  assert.deepEqual(store.all, []);
});

test("a dish is shown once, at every moment of its way", () => {
  const store = loaded(order("1", 3));
  const shown = () => store.get("1").items.map(({ name, change }) => `${name} ${change?.state ?? "there"}`);
  const change = begin(store, "addItem", burger);
  assert.deepEqual(shown(), ["Burger sending"]);
  store.mark(change, "waiting");
  assert.deepEqual(shown(), ["Burger waiting"]);
  const early = store.fetchBegins();
  // Somebody else was there between: of version 4 nothing is known.
  assert.equal(store.settleItem(change, burger, { version: 5, position: "e:5" }), false);
  assert.deepEqual(shown(), ["Burger there"]);
  store.take(page([order("1", 4)]), early);
  assert.deepEqual(shown(), ["Burger there"], "an answer from before the dish");
  store.take(page([order("1", 5, { items: [burger] })]), early);
  assert.deepEqual(shown(), ["Burger there"], "an answer that has it");
  store.take(page([order("1", 6)]), store.fetchBegins());
  assert.deepEqual(shown(), [], "an answer from after it was removed again");
});

test("the version after the known one is known without a fetch", () => {
  const store = loaded(order("1", 3, { items: [burger] }));
  const more = begin(store, "changeItem", { id: "i1", quantity: 3 });
  assert.equal(store.settleItem(more, { ...burger, quantity: 3 }, { version: 4, position: "e:4" }), true);
  const { entity, position } = store.known("1");
  assert.deepEqual([entity.version, entity.items[0].quantity, position], [4, 3, "e:4"]);
  assert.deepEqual(store.get("1").changes, []);
});

test("a dish that is removed has no version until its echo comes", () => {
  const store = loaded(order("1", 3, { items: [burger] }));
  const removed = begin(store, "removeItem", { id: "i1" });
  assert.equal(store.settleItem(removed, null, { version: null, position: "e:4" }), false);
  assert.deepEqual([store.get("1").items, store.known("1").entity.version], [[], 3]);
  assert.equal(store.confirm({ origin: "somebody else's", version: 4 }, "e:4"), false);
  assert.equal(store.confirm({ origin: removed.id, version: 4 }, "e:4"), true);
  assert.deepEqual([store.known("1").entity.items, store.known("1").entity.version], [[], 4]);
});

test("an order that is gone is forgotten, unless something newer is known of it", () => {
  const store = loaded(order("1"));
  const begunAt = store.fetchBegins();
  store.learn(order("1", 2), "e:2");
  store.forget("1", begunAt);
  assert.ok(store.get("1"));
  store.forget("1", store.fetchBegins());
  assert.equal(store.get("1"), null);
});

test("each change is told", () => {
  const store = new EntityStore();
  let count = 0;
  store.onChange(() => (count += 1));
  assert.equal(store.isLoaded, false);
  store.takeAll(page([order("1")]), store.fetchBegins());
  assert.equal(store.isLoaded, true);
  const change = begin(store, "addItem", burger);
  store.mark(change, "waiting");
  store.mark(change, "waiting");
  store.discard(change);
  assert.equal(count, 4);
});
