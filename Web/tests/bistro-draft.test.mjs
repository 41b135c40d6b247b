import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers, pageModule, settle } from "./support.mjs";

const { ApiError } = await pageModule("api-error.js");
const { Draft } = await pageModule("draft.js");
const { EntityStore } = await pageModule("entity-store.js");
const { fieldErrors } = await pageModule("field-errors.js");
const { OwnChanges } = await pageModule("own-changes.js");
const { makeSaving } = await pageModule("saving.js");

const order = (version, changes = {}) => ({ id: "1", table: "7", note: null, status: "open", version, ...changes });
const fields = ["table", "note"];

test("only what is different is sent, with the version that it is based on", () => {
  const draft = new Draft(order(3), fields);
  assert.deepEqual([draft.isDirty, draft.body], [false, { version: 3 }]);
  draft.set("note", "no onions");
  draft.set("table", "8");
  draft.set("table", "7");
  assert.deepEqual([draft.isDirty, draft.body], [true, { note: "no onions", version: 3 }]);
});

test("what was not changed here follows what others did", () => {
  const draft = new Draft(order(3), fields);
  draft.set("note", "no onions");
  assert.deepEqual(draft.rebase(order(5, { table: "9", status: "ready" })), ["table", "status", "version"]);
  assert.deepEqual([draft.value("table"), draft.value("note")], ["9", "no onions"]);
  assert.deepEqual([draft.conflicts.size, draft.body], [0, { note: "no onions", version: 5 }]);
});

test("what was changed here and elsewhere has to be decided", () => {
  const draft = new Draft(order(3), fields);
  draft.set("note", "mine");
  draft.rebase(order(4, { note: "theirs" }));
  assert.deepEqual([...draft.conflicts], [["note", { mine: "mine", theirs: "theirs", choice: null }]]);
  assert.equal(draft.isDecided, false);
  draft.resolve("note", "theirs");
  assert.deepEqual([draft.isDecided, draft.isDirty, draft.value("note")], [true, false, "theirs"]);
  draft.resolve("note", "mine");
  assert.deepEqual([draft.isDecided, draft.body], [true, { note: "mine", version: 4 }]);
});

test("the same change here and elsewhere is none", () => {
  const draft = new Draft(order(3), fields);
  draft.set("note", "no onions");
  draft.rebase(order(4, { note: "no onions" }));
  assert.deepEqual([draft.conflicts.size, draft.isDirty], [0, false]);
});

test("something else can be written instead of choosing", () => {
  const draft = new Draft(order(3), fields);
  draft.set("note", "mine");
  draft.rebase(order(4, { note: "theirs" }));
  draft.set("note", "both");
  assert.deepEqual([draft.isDecided, draft.body], [true, { note: "both", version: 4 }]);
});

test("a decision does not hold for what others do after it", () => {
  const draft = new Draft(order(3), fields);
  draft.set("note", "mine");
  draft.rebase(order(4, { note: "theirs" }));
  draft.resolve("note", "mine");
  draft.rebase(order(5, { note: "theirs", table: "9" }));
  assert.equal(draft.isDecided, true, "they did not touch it again");
  draft.rebase(order(6, { note: "theirs again", table: "9" }));
  assert.deepEqual(draft.conflicts.get("note"), { mine: "mine", theirs: "theirs again", choice: null });
});

function saving() {
  const server = new Answers();
  const store = new EntityStore();
  store.takeAll([{ items: [order(3)], position: "e:1" }], store.fetchBegins());
  const own = new OwnChanges();
  return { server, store, own, save: makeSaving({ change: server.ask, own, store }) };
}

test("what is saved again unchanged because no answer came keeps its name", async () => {
  const { server, store, own, save } = saving();
  const names = [];
  const attempt = async (body, error) => {
    const saved = save("/orders/1", body).catch(({ message }) => message);
    await settle();
    names.push(server.questions[0][0]);
    await server.refuse(error);
    return saved;
  };
  const body = { note: "no onions", version: 3 };
  assert.equal(await attempt(body, new ApiError("lost")), "lost");
  await attempt(body, new ApiError("lost"));
  await attempt({ ...body, table: "8" }, new ApiError("lost"));
  await attempt({ ...body, table: "8" }, new ApiError("no", { status: 422 }));
  await attempt({ ...body, table: "8" }, new ApiError("no", { status: 409, current: order(4, { note: "theirs" }) }));
  assert.equal(names[0], names[1]);
  assert.equal(names[2], names[3]);
  assert.equal(new Set(names).size, 3, "another wish has another name, and so has one that was refused");
  assert.equal(store.get("1").note, "theirs", "what is there instead is shown");
  assert.equal(own.isOwn({ payload: { origin: names[0] } }), true);
});

test("what is wrong stands at the field that it is about", () => {
  const errors = [
    { pointer: "/table", code: "length", message: "has 1–20 characters" },
    { pointer: "/price_in_cents", code: "range", message: "is 0–100000" },
    { pointer: "/items/0/name", code: "length", message: "is too long" },
    { pointer: "/a~1b", code: "unknown", message: "is no field of order" },
    { pointer: "", code: "odd", message: "This does not fit together." },
  ];
  const fields = [
    { name: "table", label: "Table" },
    { name: "price_in_cents", label: "Price", faults: { range: "A dish costs at most €1,000.00." } },
  ];
  assert.deepEqual([...fieldErrors(errors, fields)], [
    ["table", "Table has 1–20 characters."],
    ["price_in_cents", "A dish costs at most €1,000.00."],
    ["items", "Items is too long."],
    ["a/b", "A/b is no field of order."],
    ["", "This does not fit together."],
  ]);
});
