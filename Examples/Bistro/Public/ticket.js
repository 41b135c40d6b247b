import { arrange, byId, setAttribute, setText } from "./dom.js";
import { dishes, isUnfinished, money, orderName, statusName, tableName } from "./format.js";
import { TicketNote } from "./ticket-note.js";
import { makeRow } from "./ticket-row.js";

/** The chosen order: what is on it, what has not reached the server yet, what it costs, and its note. */
export class Ticket {
  #store;
  #menu;
  #actions;
  #note;
  #rows = new Map();
  #orderId = null;
  #isClosed = false;

  /**
   * @param {object} parts
   * @param {import("./entity-store.js").EntityStore} parts.store Orders.
   * @param {import("./entity-store.js").EntityStore} parts.menu
   * @param {object} parts.actions
   * @param {(message: string) => void} parts.report
   */
  constructor({ store, menu, actions, report }) {
    this.#store = store;
    this.#menu = menu;
    this.#actions = actions;
    this.#note = new TicketNote({ store, actions, report });
    byId("ticket-total").addEventListener("click", () => byId("ticket-heading").scrollIntoView({ block: "center" }));
  }

  /** Shows an order. */
  show(orderId, isClosed) {
    this.#orderId = orderId;
    this.draw(isClosed);
  }

  draw(isClosed) {
    this.#isClosed = isClosed;
    const order = this.#orderId && this.#store.get(this.#orderId);
    setText(byId("ticket-heading"), order ? orderName(order) : "No order chosen");
    this.#drawItems(order);
    this.#drawTotal(order);
    this.#drawEdit(order);
    const hint = hintFor(order);
    setText(byId("ticket-hint"), hint);
    byId("ticket-hint").hidden = hint === "";
    this.#note.draw(order);
  }

  // A row stays the same element as long as it says the same: nobody's click is lost to a change elsewhere.
  #drawItems(order) {
    const before = this.#rows;
    this.#rows = new Map();
    const isOpen = Boolean(order) && isUnfinished(order) && !this.#isClosed;
    for (const item of order?.items ?? []) {
      const { id, name, quantity, change } = item;
      const price = this.#priceOf(name);
      const key = [order.id, id, name, quantity, price, change?.state, change?.id, isOpen].join(" ");
      const row = before.get(key) ?? makeRow(item, { price, isOpen, orderId: order.id, actions: this.#actions });
      this.#rows.set(key, row);
    }
    this.#keepFocus(() => arrange(byId("ticket-items"), [...this.#rows.values()]));
  }

  // A row that says something else is another element: the same button of it gets the focus.
  #keepFocus(change) {
    const { item, act } = document.activeElement?.dataset ?? {};
    change();
    if (item && !document.activeElement?.dataset.item) {
      byId("ticket-items").querySelector(`[data-item="${CSS.escape(item)}"][data-act="${CSS.escape(act)}"]`)?.focus();
    }
  }

  #priceOf(name) {
    return this.#menu.all.find((dish) => dish.name === name)?.price_in_cents ?? null;
  }

  // It stays in sight while dishes are chosen, and leads to what has been chosen.
  #drawTotal(order) {
    byId("ticket-total").hidden = !order;
    if (!order) return;
    const prices = order.items.map(({ name, quantity }) => (this.#priceOf(name) ?? NaN) * quantity);
    const known = prices.filter((price) => !Number.isNaN(price));
    // What has left the menu has no price any more.
    const rest = known.length < prices.length ? " + ?" : "";
    setText(byId("ticket-count"), `${tableName(order.table)} · ${dishes(order.items)}`);
    setText(byId("ticket-sum"), money(known.reduce((sum, price) => sum + price, 0)) + rest);
  }

  #drawEdit(order) {
    const link = byId("ticket-edit");
    link.hidden = !order?.reference;
    setAttribute(link, "href", order ? `#/orders/${order.id}` : null);
    setAttribute(link, "aria-label", order ? `Edit ${orderName(order)}` : null);
  }
}

function hintFor(order) {
  if (!order) return "Choose an order above to add dishes to it.";
  if (!isUnfinished(order)) return `This order is ${statusName(order.status).toLowerCase()}.`;
  return order.items.length === 0 ? "Choose dishes from the menu." : "";
}
