// What the page knows of orders: what the server said, and on top of it what was changed here and is not confirmed.
//
// A change of our own shows at once. It is kept apart from the server's word, so taking one back leaves every other
// change, and everything that arrived meanwhile, as it is.
//
// Answers can overtake each other. Each is dated with the moment in which its fetch began, in steps of a logical clock:
// an answer to a fetch that began before we learned something newer does not replace it.

/**
 * @typedef {object} Change A change that was made here.
 * @property {number} id
 * @property {string} orderId
 * @property {"status" | "note" | "item"} kind
 * @property {object} value What it sets: `{status}`, `{note}` or `{name, quantity}`.
 * @property {"sending" | "failed" | "done"} state
 */

export class OrderStore {
  /** @type {Map<string, {order: object, knownAt: number}>} */
  #orders = new Map();
  /** @type {Change[]} */
  #changes = [];
  #clock = 0;
  #nextChange = 1;
  #listeners = new Set();
  #shown = null;

  /** Whether all orders have been fetched at least once. */
  isLoaded = false;

  /**
   * Every order as it is to be shown, the newest first. An item that the server has not confirmed has the change that
   * adds it as `change`.
   */
  get orders() {
    this.#shown ??= [...this.#orders.values()]
      .map(({ order }) => this.#changes.reduce(apply, order))
      .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
    return this.#shown;
  }

  /** One order as it is to be shown. */
  order(id) {
    return this.orders.find((order) => order.id === id) ?? null;
  }

  /** Calls the listener after each change of what is to be shown. */
  onChange(listener) {
    this.#listeners.add(listener);
  }

  // What the server says.

  /** The moment in which a fetch begins: give it back with the answer. */
  fetchBegins() {
    return ++this.#clock;
  }

  /** The answer to a fetch of all orders. */
  takeAll(orders, begunAt) {
    for (const order of orders) this.#take(order, begunAt);
    const listed = new Set(orders.map(({ id }) => id));
    // What was learned of after the fetch began may be too new to be in its answer.
    for (const [id, { knownAt }] of this.#orders) if (!listed.has(id) && knownAt <= begunAt) this.#orders.delete(id);
    this.isLoaded = true;
    this.#tell();
  }

  /** The answer to a fetch of one order. */
  take(order, begunAt) {
    this.#take(order, begunAt);
    this.#tell();
  }

  /** There is no such order any more, says the answer to a fetch. */
  forget(id, begunAt) {
    if (this.#orders.get(id)?.knownAt > begunAt) return;
    this.#orders.delete(id);
    this.#tell();
  }

  /** The answer to a change: the order as it was when the server had made it. */
  learn(order) {
    this.#learn(order);
    this.#tell();
  }

  #take(order, begunAt) {
    const known = this.#orders.get(order.id);
    if (known && known.knownAt > begunAt && known.order.version >= order.version) return;
    this.#put(order, begunAt);
  }

  #learn(order) {
    const known = this.#orders.get(order.id);
    if (known && known.order.version > order.version) return;
    this.#put(order, ++this.#clock);
  }

  #put(order, knownAt) {
    this.#orders.set(order.id, { order, knownAt });
    this.#changes = this.#changes.filter((change) => !isContained(change, order.id, knownAt));
  }

  // What is changed here.

  /** A change that is being sent. It shows at once. @returns {Change} */
  begin(orderId, kind, value) {
    const change = { id: this.#nextChange++, orderId, kind, value, state: "sending", settledAt: 0 };
    this.#changes.push(change);
    this.#tell();
    return change;
  }

  /** A change that failed is being sent again. */
  beginAgain(change) {
    change.state = "sending";
    this.#tell();
  }

  /** The server made a change, and this is the order now. */
  settle(change, order) {
    this.#remove(change);
    this.#learn(order);
    this.#tell();
  }

  /** The server added an item. It has said nothing of the order, so the item is shown on top until the order has it. */
  settleItem(change, item) {
    change.state = "done";
    change.value = item;
    change.settledAt = ++this.#clock;
    this.#tell();
  }

  /** The server did not make the change. What was entered stays until it is sent again or taken back. */
  fail(change) {
    change.state = "failed";
    this.#tell();
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

function apply(order, change) {
  if (change.orderId !== order.id) return order;
  if (change.kind !== "item") return { ...order, ...change.value };
  if (change.state === "done" && order.items.some(({ id }) => id === change.value.id)) return order;
  return { ...order, items: [...order.items, { ...change.value, change: change.state === "done" ? null : change }] };
}

/** Whether what is known of an order since then contains a change that the server has made. */
function isContained(change, orderId, knownAt) {
  return change.orderId === orderId && change.state === "done" && change.settledAt < knownAt;
}
