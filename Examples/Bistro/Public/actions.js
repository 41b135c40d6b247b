// What a person does: it shows at once, is sent in the background, and is taken back if the server refuses.

/**
 * @param {object} parts
 * @param {import("./order-store.js").OrderStore} parts.store
 * @param {object} parts.api
 * @param {import("./refresher.js").Refresher} parts.refresher
 * @param {(error: Error) => void} parts.report Shows what went wrong.
 */
export function makeActions({ store, api, refresher, report }) {
  const inTurn = turns();

  /** Sends a change of an order after those before it: the server sees them in the order in which they were made. */
  async function send(change, request) {
    try {
      await inTurn(change.orderId, request);
      return true;
    } catch (error) {
      report(error);
      // Without an answer the change may have been made all the same.
      refresher.refresh(change.orderId);
      return false;
    }
  }

  async function change(orderId, kind, value) {
    const change = store.begin(orderId, kind, value);
    const isMade = await send(change, async () => store.settle(change, await api.changeOrder(orderId, value)));
    if (!isMade) store.discard(change);
    return isMade;
  }

  async function sendItem(change) {
    const { name, quantity } = change.value;
    const isMade = await send(change, async () => {
      store.settleItem(change, await api.addItem(change.orderId, { name, quantity }));
      refresher.refresh(change.orderId);
    });
    if (!isMade) store.fail(change);
    return isMade;
  }

  return {
    /** Opens an order for a table. @returns {Promise<object | null>} The order, or null after a report. */
    async open(table) {
      try {
        const order = await api.createOrder(table);
        store.learn(order);
        return order;
      } catch (error) {
        report(error);
        refresher.refreshAll();
        return null;
      }
    },

    /** @returns {Promise<boolean>} Whether the server made the change; if not, it has been reported. */
    setStatus: (orderId, status) => change(orderId, "status", { status }),

    /** @returns {Promise<boolean>} As above. An empty note is none. */
    setNote: (orderId, note) => change(orderId, "note", { note }),

    /** Adds a dish. If that fails it stays with the order, to be sent again or taken back. */
    addItem: (orderId, name, quantity) => sendItem(store.begin(orderId, "item", { name, quantity })),

    /** Sends a dish again that could not be added. */
    sendAgain(change) {
      store.beginAgain(change);
      return sendItem(change);
    },

    /** Takes back a dish that could not be added. */
    discard: (change) => store.discard(change),
  };
}

/** Runs what has the same key one after the other. */
function turns() {
  const last = new Map();
  return (key, action) => {
    const result = (last.get(key) ?? Promise.resolve()).then(action);
    const done = result.catch(() => {}).then(() => last.get(key) === done && last.delete(key));
    last.set(key, done);
    return result;
  };
}
