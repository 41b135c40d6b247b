import { newIdentifier } from "./identifier.js";

const ORDERS = "/orders";

/**
 * What people do with orders. Each shows at once and says whether the server made it.
 *
 * @param {import("./mutations.js").Mutations} mutations
 * @param {import("./live.js").LiveEntities} orders
 */
export function makeOrderActions(mutations, orders) {
  const one = (id) => `${ORDERS}/${encodeURIComponent(id)}`;
  const items = (id) => `${one(id)}/items`;
  const item = (orderId, id) => `${items(orderId)}/${encodeURIComponent(id)}`;
  const run = (entityId, kind, value, request, options) =>
    mutations.run(orders, { entityId, kind, value }, request, options);

  return {
    /** Opens an order for a table, which is known by its identifier at once. @returns {{id: string, made: Promise}} */
    open(table, recover) {
      const id = newIdentifier();
      const now = new Date().toISOString();
      const blank = { reference: null, note: null, status: "open", items: [], version: 0 };
      const order = { id, table, ...blank, created_at: now, updated_at: now };
      return { id, made: run(id, "create", order, { method: "POST", path: ORDERS, body: { id, table } }, { recover }) };
    },

    /** Moves an order to its next state. */
    moveTo: (id, status) =>
      run(id, "patch", { status }, { method: "POST", path: `${one(id)}/transition`, body: { to: status } }),

    /** @param {number} version What the note is based on. */
    setNote: (id, note, version, recover) =>
      run(id, "patch", { note }, { method: "PATCH", path: one(id), body: { note, version } }, { recover }),

    addItem(orderId, name, quantity) {
      const value = { id: newIdentifier(), name, quantity };
      return run(orderId, "addItem", value, { method: "POST", path: items(orderId), body: value });
    },

    setQuantity: (orderId, id, quantity) =>
      run(orderId, "changeItem", { id, quantity }, { method: "PATCH", path: item(orderId, id), body: { quantity } }),

    /** One that somebody else has removed is as good as removed. */
    removeItem: (orderId, id) =>
      run(orderId, "removeItem", { id }, { method: "DELETE", path: item(orderId, id) }, { recover: isGone }),

    /** Gives up a change that waits for an answer. */
    withdraw: (changeId) => mutations.withdraw(changeId),
  };
}

const isGone = ({ status }) => status === 404;
