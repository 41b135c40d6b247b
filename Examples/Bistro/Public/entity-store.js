// What the page knows of entities of one kind: what the server said, and on top of it what was changed here and is not
// confirmed.
//
// A change of our own shows at once. It is kept apart from the server's word, so taking one back leaves every other
// change, and everything that arrived meanwhile, as it is.
//
// Answers can overtake each other. Each is dated with the moment in which its fetch began, in steps of a logical clock:
// an answer to a fetch that began before we learned something newer does not replace it.

import { apply } from "./changes.js";
import { isContained, isSameLog } from "./position.js";

/** @typedef {import("./changes.js").Change} Change */

export class EntityStore {
  /** @type {Map<string, {entity: object, position: string | null, knownAt: number}>} */
  #known = new Map();
  /** @type {Change[]} */
  #changes = [];
  #clock = 0;
  #listeners = new Set();
  #shown = null;

  /** Whether all entities have been fetched at least once. */
  isLoaded = false;

  /** Every entity as it is to be shown; `changes` has those of ours that are not confirmed. @returns {object[]} */
  get all() {
    return [...this.#show().values()];
  }

  /** One entity as it is to be shown, or null. */
  get(id) {
    return this.#show().get(id) ?? null;
  }

  /** One entity as the server said, and up to which position of its log that holds; or null. */
  known(id) {
    return this.#known.get(id) ?? null;
  }

  /** Whether what an event tells of is known already. */
  contains({ entity_id: id, version }, position) {
    const known = this.#known.get(id);
    if (!known) return false;
    const hasVersion = isSameLog(known.position, position) && version <= known.entity.version;
    return hasVersion || isContained(known.position, position);
  }

  /** Calls the listener after each change of what is to be shown. */
  onChange(listener) {
    this.#listeners.add(listener);
  }

  #show() {
    if (this.#shown) return this.#shown;
    const ids = new Set([...this.#known.keys(), ...this.#changes.map(({ entityId }) => entityId)]);
    const shown = [...ids].map((id) => [id, this.#overlay(id)]);
    return (this.#shown = new Map(shown.filter(([, entity]) => entity !== null)));
  }

  // What has not changed stays the same object: whoever draws it need not look at it again.
  #overlay(id) {
    const known = this.#known.get(id);
    const changes = this.#changes.filter(({ entityId }) => entityId === id);
    if (known && changes.length === 0) return (known.shown ??= { ...known.entity, changes });
    const entity = changes.reduce(apply, known?.entity ?? null);
    return entity && { ...entity, changes: changes.filter(({ state }) => state !== "done") };
  }

  // What the server says.

  /** The moment in which a fetch begins: give it back with the answer. */
  fetchBegins() {
    return ++this.#clock;
  }

  /** The answer to a fetch of everything, in pages. */
  takeAll(pages, begunAt) {
    const listed = new Set(pages.flatMap(({ items }) => items.map(({ id }) => id)));
    // What was learned of after the fetch began may be too new to be in its answer.
    for (const [id, { knownAt }] of this.#known) if (!listed.has(id) && knownAt <= begunAt) this.#known.delete(id);
    this.isLoaded = true;
    this.take(pages, begunAt);
  }

  /** The answer to a fetch of some, in pages. */
  take(pages, begunAt) {
    for (const { items, position } of pages) for (const entity of items) this.#take(entity, position, begunAt);
    this.#tell();
  }

  /** There is no such entity any more, says the answer to a fetch. */
  forget(id, begunAt) {
    if (this.#known.get(id)?.knownAt > begunAt) return;
    this.#known.delete(id);
    this.#tell();
  }

  /** The answer to a change: the entity as it was when the server had made it, or refused it. */
  learn(entity, position) {
    this.#learn(entity, position);
    this.#tell();
  }

  #take(entity, position, begunAt) {
    const known = this.#known.get(entity.id);
    if (known && known.knownAt > begunAt && known.entity.version >= entity.version) return;
    this.#put(entity, position, begunAt);
  }

  #learn(entity, position) {
    const known = this.#known.get(entity.id);
    if (known && known.entity.version > entity.version) return;
    this.#put(entity, position ?? known?.position ?? null, ++this.#clock);
  }

  #put(entity, position, knownAt) {
    this.#known.set(entity.id, { entity, position, knownAt });
    this.#changes = this.#changes.filter((change) => !isMadeIn(change, entity, knownAt));
  }

  // What is changed here.

  /** A change that is being sent. It shows at once. @param {Change} change */
  begin(change) {
    this.#changes.push(change);
    this.#tell();
  }

  /** How the sending of a change goes. */
  mark(change, state) {
    if (change.state === state) return;
    change.state = state;
    this.#tell();
  }

  /** The server made a change, and this is the entity now. */
  settle(change, entity, position) {
    this.#remove(change);
    this.#learn(entity, position);
    this.#tell();
  }

  /**
   * The server changed an item, and has said of the entity no more than its version, or not even that. Until the entity
   * is known the change stays on top.
   *
   * @returns {boolean} Whether it is known since. Otherwise others have changed it too, or the echo has yet to come.
   */
  settleItem(change, item, { version, position }) {
    Object.assign(change, { state: "done", version, settledAt: ++this.#clock });
    if (item) change.value = item;
    const isKnown = version !== null && this.#advance(change, position);
    this.#tell();
    return isKnown;
  }

  /** The echo of a change of an item that is made. @returns {boolean} Whether the entity is known since. */
  confirm({ origin, version }, position) {
    const change = this.#changes.find(({ id, state }) => id === origin && state === "done");
    return Boolean(change) && this.settleItem(change, null, { version, position });
  }

  // The next version is the one before with this change.
  #advance(change, position) {
    const known = this.#known.get(change.entityId)?.entity;
    const isNext = known?.version === change.version - 1;
    if (isNext) this.#put({ ...apply(known, change), version: change.version }, position, ++this.#clock);
    return isNext || known?.version >= change.version;
  }

  /** Takes a change back. */
  discard(change) {
    this.#remove(change);
    this.#tell();
  }

  #remove(change) {
    this.#changes = this.#changes.filter((other) => other !== change);
  }

  #tell() {
    this.#shown = null;
    for (const listener of this.#listeners) listener();
  }
}

/** Whether a change is part of an entity, as it is known since a moment. */
function isMadeIn({ state, entityId, version, settledAt }, entity, knownAt) {
  if (state !== "done" || entityId !== entity.id) return false;
  return settledAt < knownAt || (version !== null && version <= entity.version);
}
