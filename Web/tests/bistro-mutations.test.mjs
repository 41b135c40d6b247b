import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers, ManualClock, pageModule, settle } from "./support.mjs";

const { ApiError } = await pageModule("api-error.js");
const { EntityStore } = await pageModule("entity-store.js");
const { Mutations } = await pageModule("mutations.js");
const { makeOrderActions } = await pageModule("order-actions.js");
const { makeSettingsActions } = await pageModule("house-actions.js");
const { Outbox } = await pageModule("outbox.js");
const { OwnChanges } = await pageModule("own-changes.js");

const lost = () => new ApiError("The server cannot be reached.");
const refusal = (status, problem = {}) => new ApiError("No.", { status, ...problem });

function order(id, version = 1, changes = {}) {
  return { id, table: "7", status: "open", note: null, items: [], version, ...changes };
}

const answer = (content, { position = "e:2", version = content?.version ?? null } = {}) => ({
  content,
  position,
  version,
});

function counter(...entities) {
  const server = new Answers();
  const clock = new ManualClock();
  const store = new EntityStore();
  store.takeAll([{ items: entities, position: "e:1" }], store.fetchBegins());
  const [reports, refreshed] = [[], []];
  const outbox = new Outbox({ setTimeout: clock.setTimeout });
  const own = new OwnChanges();
  const report = ({ message }) => reports.push(message);
  const mutations = new Mutations({ change: server.ask, outbox, own, report });
  const live = { store, refresh: (id) => refreshed.push(id) };
  const actions = makeOrderActions(mutations, live);
  const asked = () => server.questions.map(([, { method, path, body }]) => [method, path, body]);
  return { server, clock, store, outbox, own, reports, refreshed, mutations, live, actions, asked };
}

test("changes of one order are sent one after the other, those of another beside them", async () => {
  const { actions, server, store, asked } = counter(order("1"), order("2"));
  actions.moveTo("1", "preparing");
  actions.moveTo("1", "ready");
  actions.setNote("2", "no onions", 1);
  assert.equal(store.get("1").status, "ready");
  assert.deepEqual(asked(), [
    ["POST", "/orders/1/transition", { to: "preparing" }],
    ["PATCH", "/orders/2", { note: "no onions", version: 1 }],
  ]);
  await server.answer(answer(order("1", 2, { status: "preparing" })));
  assert.deepEqual(asked()[1], ["POST", "/orders/1/transition", { to: "ready" }]);
  assert.equal(store.get("1").status, "ready", "the second change is still on top");
});

test("a change that is refused is taken back and reported, and what is there instead is shown", async () => {
  const { actions, server, store, reports, refreshed } = counter(order("1"));
  const moved = actions.moveTo("1", "preparing");
  assert.equal(store.get("1").status, "preparing");
  await server.refuse(refusal(409, { code: "illegal_transition", current: order("1", 4, { status: "ready" }) }));
  assert.equal(await moved, false);
  assert.deepEqual([store.get("1").status, store.get("1").version], ["ready", 4]);
  assert.deepEqual([reports, refreshed], [["No."], []]);
});

test("what was refused without a word about the entity is looked up", async () => {
  const { actions, server, refreshed } = counter(order("1"));
  actions.addItem("1", "Burger", 1);
  await server.refuse(refusal(409, { code: "order_closed" }));
  assert.deepEqual(refreshed, ["1"]);
});

test("without an answer a change waits, and is sent again under the same name until there is one", async () => {
  const { actions, server, clock, store, outbox, reports } = counter(order("1"));
  const moved = actions.moveTo("1", "preparing");
  const names = [];
  for (const delay of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
    names.push(server.questions[0][0]);
    await server.refuse(lost());
    assert.deepEqual([store.get("1").status, store.get("1").changes[0].state], ["preparing", "waiting"]);
    assert.deepEqual([outbox.waiting, clock.pending], [1, [delay]]);
    clock.advance(delay);
    await settle();
  }
  assert.equal(new Set([...names, server.questions[0][0]]).size, 1);
  await server.answer(answer(order("1", 2, { status: "preparing" })));
  assert.equal(await moved, true);
  assert.deepEqual([outbox.waiting, outbox.count, reports], [0, 0, []]);
});

test("answers that decide nothing are no refusals", async () => {
  for (const status of [408, 429, 502, 503, 504]) {
    const { actions, server, store, reports } = counter(order("1"));
    actions.moveTo("1", "preparing");
    await server.refuse(refusal(status));
    assert.deepEqual([store.get("1").status, reports], ["preparing", []]);
  }
});

test("what is made while the server is away is sent in order when it is back", async () => {
  const { actions, server, outbox, store, asked } = counter();
  const { id } = actions.open("9");
  await server.refuse(lost());
  actions.addItem(id, "Burger", 2);
  actions.addItem(id, "Lemonade", 1);
  assert.deepEqual(store.get(id).items.map(({ name, change }) => [name, change.state]), [
    ["Burger", "waiting"],
    ["Lemonade", "waiting"],
  ]);
  assert.equal(outbox.waiting, 3);
  outbox.retry();
  await settle();
  assert.deepEqual(asked(), [["POST", "/orders", { id, table: "9" }]]);
  await server.answer(answer(order(id)));
  const [[, path, { name, quantity }]] = asked();
  assert.deepEqual([path, name, quantity], [`/orders/${id}/items`, "Burger", 2]);
  const burger = server.questions[0][1].body;
  await server.answer(answer(burger, { version: 2, position: "e:3" }));
  assert.deepEqual([store.known(id).entity.version, store.known(id).entity.items.length], [2, 1]);
  assert.equal(asked()[0][2].name, "Lemonade");
});

test("what waits can be taken back, and lets those behind it go", async () => {
  const { actions, server, store, refreshed, reports, asked } = counter(order("1"));
  const added = actions.addItem("1", "Burger", 2);
  await server.refuse(lost());
  actions.addItem("1", "Lemonade", 1);
  actions.withdraw(store.get("1").items[0].change.id);
  assert.equal(await added, false);
  await settle();
  assert.deepEqual(store.get("1").items.map(({ name }) => name), ["Lemonade"]);
  assert.deepEqual([reports, refreshed], [[], ["1"]], "it may have been made all the same");
  assert.equal(asked()[0][2].name, "Lemonade");
});

test("an order that was refused takes what was added to it along", async () => {
  const { actions, server, store, reports } = counter();
  const { id, made } = actions.open("9");
  actions.addItem(id, "Burger", 1);
  await server.refuse(refusal(409, { code: "kitchen_closed" }));
  assert.equal(await made, false);
  await server.refuse(refusal(404, { code: "not_found" }));
  assert.deepEqual([store.all, reports.length], [[], 2]);
});

test("who deals with a refusal is asked first", async () => {
  const { actions, server, reports } = counter();
  const heard = [];
  actions.open("9", (error) => heard.push(error.code) > 0);
  await server.refuse(refusal(422, { code: "invalid" }));
  assert.deepEqual([heard, reports], [["invalid"], []]);
});

test("a dish that somebody else has removed is as good as removed", async () => {
  const { actions, server, reports, refreshed } = counter(order("1", 1, { items: [{ id: "i1" }] }));
  actions.removeItem("1", "i1");
  await server.refuse(refusal(404));
  assert.deepEqual([reports, refreshed], [[], ["1"]]);
});

test("the echo of a change is no news: not before its answer, and not after it", async () => {
  const { actions, server, store, own, refreshed } = counter(order("1", 1, { items: [{ id: "i1" }] }));
  const echo = (version, origin) => ({ payload: { entity_id: "1", version, origin }, position: `e:${version}` });

  actions.moveTo("1", "preparing");
  const [name] = server.questions[0];
  assert.equal(own.isNews(echo(2, name), store), false, "under way");
  await server.answer(answer(order("1", 2, { status: "preparing", items: [{ id: "i1" }] })));
  assert.equal(own.isNews(echo(2, name), store), false, "answered");
  assert.equal(own.isOwn(echo(2, name)), true);

  actions.removeItem("1", "i1");
  const [removal] = server.questions[0];
  assert.equal(own.isNews(echo(3, removal), store), false);
  await server.answer(answer(null, { position: "e:3" }));
  assert.deepEqual([store.known("1").entity.version, store.known("1").entity.items, refreshed], [3, [], []]);

  assert.equal(own.isNews(echo(4, "somebody else's"), store), true);
  assert.equal(own.isNews(echo(3, "somebody else's"), store), false, "a version that is shown");
});

test("an echo is news where others were there between", async () => {
  const { actions, server, store, own, refreshed } = counter(order("1"));
  actions.addItem("1", "Burger", 1);
  const [name, { body }] = server.questions[0];
  own.isNews({ payload: { entity_id: "1", version: 5, origin: name }, position: "e:5" }, store);
  await server.answer(answer(body, { version: 5, position: "e:5" }));
  assert.deepEqual(refreshed, ["1"]);
  assert.equal(own.isNews({ payload: { entity_id: "1", version: 5, origin: name }, position: "e:5" }, store), true);
});

test("a setting is changed on the version that the change before it has led to", async () => {
  const settings = (version, takes) => ({ id: "s", restaurant_name: "Bistro", takes_orders: takes, version });
  const { mutations, live, server, store, asked } = counter(settings(3, true));
  const { setTakesOrders } = makeSettingsActions(mutations, live);
  setTakesOrders(store.get("s"), false);
  setTakesOrders(store.get("s"), true);
  assert.deepEqual(asked(), [["PATCH", "/settings", { takes_orders: false, version: 3 }]]);
  await server.answer(answer(settings(4, false)));
  assert.deepEqual(asked(), [["PATCH", "/settings", { takes_orders: true, version: 4 }]]);
  assert.equal(store.get("s").takes_orders, true);
});

test("what is sent again says the same as before, whatever was heard meanwhile", async () => {
  const settings = (version) => ({ id: "s", restaurant_name: "Bistro", takes_orders: true, version });
  const { mutations, live, server, clock, store, asked } = counter(settings(3));
  makeSettingsActions(mutations, live).setTakesOrders(store.get("s"), false);
  await server.refuse(lost());
  store.learn(settings(7), "e:7");
  clock.advance(1_000);
  await settle();
  assert.deepEqual(asked(), [["PATCH", "/settings", { takes_orders: false, version: 3 }]]);
});
