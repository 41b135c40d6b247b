import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers, pageModule, settle } from "./support.mjs";

const { makeLive } = await pageModule("live.js");
const { OwnChanges } = await pageModule("own-changes.js");

const order = (id, version = 1) => ({ id, version });

async function follow({ pages = [{ items: [order("1")], position: "e:10" }] } = {}) {
  const server = new Answers();
  const subscriptions = [];
  const client = { subscribe: (...subscription) => subscriptions.push(subscription) };
  const own = new OwnChanges();
  const [loadAll, loadOne] = [() => server.ask("all"), (id) => server.ask(id)];
  const live = makeLive({ client, channel: "order", loadAll, loadOne, own });
  live.start();
  await settle();
  await server.answer(pages);
  const [[channel, hear, options]] = subscriptions;
  const event = async (payload, position, name = "updated") => {
    hear({ channel, event: name, payload, position });
    await settle();
  };
  return { server, live, own, subscriptions, channel, options, event };
}

test("what happens after the first page was read is heard of", async () => {
  const pages = [{ items: [order("1")], position: "e:10" }, { items: [order("2")], position: "e:12" }];
  const { channel, options, live } = await follow({ pages });
  assert.deepEqual([channel, options.since], ["order", "e:10"]);
  assert.deepEqual(live.store.all.map(({ id }) => id), ["1", "2"]);
});

test("an event leads to one fetch, and one that tells what is shown to none", async () => {
  const { server, event } = await follow();
  await event({ entity_id: "1", version: 2 }, "e:9");
  await event({ entity_id: "1", version: 1 }, "e:11");
  assert.deepEqual(server.questions, []);
  await event({ entity_id: "1", version: 2 }, "e:12");
  assert.deepEqual(server.questions, [["1"]]);
  await server.answer({ content: order("1", 2), position: "e:12" });
  await event({ entity_id: "1", version: 2 }, "e:12");
  assert.deepEqual(server.questions, []);
});

test("an order that nobody here knows is fetched, and one that is gone is forgotten", async () => {
  const { server, live, event } = await follow();
  await event({ entity_id: "2", version: 1 }, "e:11", "created");
  await server.answer({ content: order("2"), position: "e:11" });
  assert.equal(live.store.all.length, 2);
  await event({ entity_id: "1", version: 2 }, "e:12", "deleted");
  await server.refuse(Object.assign(new Error("gone"), { status: 404 }));
  assert.deepEqual(live.store.all.map(({ id }) => id), ["2"]);
});

test("whoever may have missed something fetches everything, and subscribes only once", async () => {
  const { server, event, options, subscriptions } = await follow();
  options.onSubscribed({ recovered: false });
  await event({ reason: "gap" }, "e:90", "stale");
  assert.deepEqual(server.questions, [["all"]]);
  await server.answer([{ items: [], position: "e:90" }]);
  options.onSubscribed({ recovered: true });
  await settle();
  assert.deepEqual([server.questions, subscriptions.length], [[], 1]);
});

test("the echo of what is under way is not fetched", async () => {
  const { server, own, event } = await follow();
  own.begin("mine");
  await event({ entity_id: "1", version: 2, origin: "mine" }, "e:11");
  await event({ entity_id: "1", version: 2, origin: "theirs" }, "e:11");
  assert.deepEqual(server.questions, [["1"]]);
});
