import assert from "node:assert/strict";
import { test } from "node:test";
import { pageModule } from "./support.mjs";

const format = await pageModule("format.js");
const { refusal } = await pageModule("messages.js");
const { told } = await pageModule("history.js");
const { parseRoute } = await pageModule("routes.js");
const { allPages, withQuery } = await pageModule("pages.js");
const { Finished } = await pageModule("finished.js");
const { newIdentifier } = await pageModule("identifier.js");

test("what the page calls things", () => {
  const { elapsed, minutesSince, tableName, orderName, dishes, nextStep, statusName, and } = format;
  assert.deepEqual([0, 1, 59, 60, 65, 120].map(elapsed), ["now", "1 min", "59 min", "1 h", "1 h 5 min", "2 h"]);
  assert.equal(elapsed(3 * 1_440 + 7), "3 days");
  assert.equal(minutesSince("2026-01-02T03:00:00Z", Date.parse("2026-01-02T03:03:59Z")), 3);
  assert.equal(minutesSince("2026-01-02T03:00:00Z", Date.parse("2026-01-02T02:00:00Z")), 0);
  assert.deepEqual(["7", "7b", "Terrace 2"].map(tableName), ["Table 7", "Table 7b", "Terrace 2"]);
  assert.equal(orderName({ table: "7", reference: "ORD-000123" }), "Table 7 (ORD-000123)");
  assert.equal(orderName({ table: "7", reference: null }), "Table 7");
  assert.equal(dishes([]), "empty");
  assert.equal(dishes([{ quantity: 1 }]), "1 dish");
  assert.equal(dishes([{ quantity: 2 }, { quantity: 1 }]), "3 dishes");
  const steps = ["open", "preparing", "ready", "served", "cancelled"].map((status) => nextStep(status)?.status ?? null);
  assert.deepEqual(steps, ["preparing", "ready", "served", null, null]);
  assert.equal(statusName("later"), "later");
  assert.deepEqual([["a"], ["a", "b"], ["a", "b", "c"]].map(and), ["a", "a and b", "a, b and c"]);
});

test("prices, as people read and write them", () => {
  assert.equal(format.money(1450), "€14.50");
  assert.deepEqual(["14.5", "14,50", " € 14 ", "0", "0.05"].map(format.cents), [1450, 1450, 1400, 0, 5]);
  for (const text of ["", "abc", "1.234", "-1", "1e3"]) assert.ok(Number.isNaN(format.cents(text)), text);
});

test("why a change was taken back", () => {
  const order = { table: "9", reference: "ORD-000003" };
  const moved = { kind: "patch", value: { status: "preparing" } };
  assert.equal(
    refusal({ code: "illegal_transition", state: "ready" }, moved, order),
    "Table 9 (ORD-000003) is ready by now. Your change was taken back.",
  );
  const added = { kind: "addItem", value: { name: "Burger", quantity: 2 } };
  assert.equal(
    refusal({ code: "order_closed", message: "The order is closed." }, added, order),
    "Table 9 (ORD-000003): 2 × Burger was not added. The order is closed.",
  );
  const invalid = { code: "invalid", errors: [{ pointer: "/quantity", message: "is 1–99" }] };
  assert.equal(refusal(invalid, added, order), "Table 9 (ORD-000003): 2 × Burger was not added. quantity is 1–99.");
  const created = { kind: "create", value: { table: "4" } };
  assert.equal(
    refusal({ code: "kitchen_closed", message: "The kitchen is closed." }, created, null),
    "The order for Table 4 was not opened. The kitchen is closed.",
  );
});

test("who did what, and when", () => {
  const entry = (type, more = {}) => ({ type, request_id: "r", timestamp: "2026-01-02T03:04:05Z", ...more });
  const what = (...values) => told(entry(...values), [{ id: "i1", name: "Burger" }]).what;
  assert.equal(what("order.created"), "Created");
  assert.equal(what("order.state.open.preparing", { state_from: "open", state_to: "preparing" }), "Open → Preparing");
  assert.equal(what("order.changed.note", { field: "note", old: null, new: "fast" }), "Note: none → “fast”");
  assert.equal(
    what("menu_item.changed.price_in_cents", { field: "price_in_cents", old: 750, new: 800 }),
    "Price: €7.50 → €8.00",
  );
  assert.equal(what("order.item_added", { metadata: { item_id: "i1" } }), "Added Burger");
  assert.equal(what("order.item_removed", { metadata: { item_id: "i2" } }), "Removed a dish");
  const who = (more) => told(entry("order.created", more)).who;
  assert.deepEqual([who({ user_id: "ada" }), who({}), who({ request_id: null })], ["ada", "Somebody", "The house"]);
  assert.equal(told(entry("order.created")).when.toISOString(), "2026-01-02T03:04:05.000Z");
});

test("addresses", () => {
  const at = (hash) => [parseRoute(hash).view, parseRoute(hash).edited];
  assert.deepEqual(at(""), ["floor", null]);
  assert.deepEqual(at("#/kitchen"), ["kitchen", null]);
  assert.deepEqual(at("#/nowhere"), ["floor", null]);
  assert.deepEqual(at("#/%"), ["floor", null]);
  assert.deepEqual(at("#/menu/m1"), ["menu", { kind: "dish", id: "m1" }]);
  assert.deepEqual(at("#/orders/o1"), [null, { kind: "order", id: "o1" }]);
});

/** A list that has so many items. */
function listOf(count) {
  const asked = [];
  const read = async (path) => {
    asked.push(path);
    const { searchParams: query } = new URL(path, "http://bistro.test");
    const [begin, limit] = [Number(query.get("cursor") ?? 0), Number(query.get("limit"))];
    const items = Array.from({ length: count }, (_, id) => ({ id })).slice(begin, begin + limit);
    const end = begin + items.length;
    return { content: { items, next_cursor: end < count ? String(end) : null }, position: `e:${asked.length}` };
  };
  return { asked, read };
}

test("a list that does not fit on a page is fetched page by page", async () => {
  const { asked, read } = listOf(5);
  const pages = await allPages(read, "/orders", { status: ["open", "ready"], limit: 2 });
  assert.deepEqual(pages.map(({ items }) => items.length), [2, 2, 1]);
  assert.equal(pages[0].position, "e:1");
  assert.equal(asked[0], "/orders?status=open&status=ready&limit=2");
  assert.equal(asked[2], "/orders?status=open&status=ready&limit=2&cursor=4");
  assert.equal(withQuery("/orders", { note: "a b&c", cursor: null }), "/orders?note=a+b%26c");
});

test("of finished orders more are fetched when somebody asks, and then again each time", async () => {
  const { asked, read } = listOf(25);
  const finished = new Finished(read);
  assert.equal((await finished.load()).items.length, 10);
  assert.equal(finished.hasMore, true);
  await finished.more();
  assert.match(asked.at(-1), /cursor=10/);
  assert.equal((await finished.load()).items.length, 20);
  await finished.more();
  assert.equal(finished.hasMore, false);
});

test("an identifier is a UUID of version 4, and another one each time", () => {
  const made = Array.from({ length: 100 }, newIdentifier);
  for (const id of made) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(new Set(made).size, 100);
});
