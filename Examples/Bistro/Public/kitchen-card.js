import { confirmButton } from "./confirm-button.js";
import { arrange, element, setAttribute, setText } from "./dom.js";
import { elapsed, minutesSince, nextStep, orderName, tableName } from "./format.js";

const HIGHLIGHT = 2_500;
const LATE = 15;
const VERY_LATE = 30;

/** One order as the kitchen sees it: an element that follows its order. */
export class KitchenCard {
  #order = null;
  #time = element("time", { class: "card-time" });
  #table = element("h3", { class: "card-table" });
  #reference = element("p", { class: "card-reference" });
  #note = element("p", { class: "card-note", hidden: true });
  #items = element("ul", { class: "card-items" });
  #noItems = element("p", { class: "card-no-items", text: "No dishes yet" });
  #advance = element("button", { type: "button", class: "advance", "data-testid": "advance" });
  #edit = element("a", { class: "button quiet", "data-testid": "edit", text: "Edit" });
  #cancel;
  #actions;
  #highlights = new Map();

  /** @param {{moveTo: (id: string, status: string) => void}} actions */
  constructor(actions) {
    const cancel = () => actions.moveTo(this.#order.id, "cancelled");
    this.#cancel = confirmButton({ class: "quiet", "data-testid": "cancel" }, "Cancel", "Really?", cancel);
    this.#actions = element("div", { class: "card-actions" }, [this.#advance, this.#edit, this.#cancel]);
    this.element = element("article", { class: "card", "data-testid": "kitchen-order", tabindex: "-1" }, [
      element("header", { class: "card-head" }, [this.#table, this.#time, this.#reference]),
      this.#note,
      this.#items,
      this.#noItems,
      this.#actions,
    ]);
    // The second click of a double click would hit the step after the next.
    this.#advance.addEventListener("click", ({ detail }) => {
      if (detail <= 1) actions.moveTo(this.#order.id, nextStep(this.#order.status).status);
    });
  }

  /** Shows an order, and highlights what is not as it was. */
  show(order) {
    const before = this.#order;
    if (before === order) return;
    this.#order = order;
    setAttribute(this.element, "data-order-id", order.id);
    setAttribute(this.element, "data-status", order.status);
    setAttribute(this.element, "data-version", order.version);
    setText(this.#table, tableName(order.table));
    this.#showReference(order);
    setText(this.#note, order.note ?? "");
    this.#note.hidden = !order.note;
    this.#showItems(order.items, before?.items);
    this.#showActions(order);
    setAttribute(this.#time, "datetime", order.created_at);
    setAttribute(this.#time, "title", `Opened ${new Date(order.created_at).toLocaleTimeString()}`);
    if (before && order.note && before.note !== order.note) this.#highlight(this.#note);
  }

  /** Draws the eye to the card. */
  highlight() {
    this.#highlight(this.element);
  }

  /** Shows how long ago the order was opened. */
  showTime(now) {
    const minutes = minutesSince(this.#order.created_at, now);
    setText(this.#time, elapsed(minutes));
    setAttribute(this.#time, "data-late", minutes >= VERY_LATE ? "very" : minutes >= LATE ? "yes" : null);
  }

  #showReference({ reference, changes }) {
    const isWaiting = changes.some(({ state }) => state === "waiting");
    setText(this.#reference, [reference, isWaiting ? "waits for the server" : null].filter(Boolean).join(" · "));
    this.#reference.classList.toggle("waiting", isWaiting);
    this.element.classList.toggle("unconfirmed", changes.length > 0);
  }

  #showItems(items, before) {
    const rows = items.map(({ name, quantity, change }, index) => {
      const row = this.#items.children[index] ?? itemRow();
      setText(row.firstChild, `${quantity} ×`);
      setText(row.lastChild, name);
      row.classList.toggle("sending", Boolean(change));
      if (before && index >= before.length) this.#highlight(row);
      return row;
    });
    arrange(this.#items, rows);
    this.#items.hidden = items.length === 0;
    this.#noItems.hidden = items.length > 0;
  }

  #showActions(order) {
    const step = nextStep(order.status);
    setText(this.#advance, step.action);
    setAttribute(this.#advance, "aria-label", `${step.action}: ${orderName(order)}`);
    this.#cancel.hidden = !step.cancellable;
    setAttribute(this.#cancel, "title", `Cancel ${orderName(order)}`);
    this.#edit.hidden = !order.reference;
    setAttribute(this.#edit, "href", `#/orders/${order.id}`);
    setAttribute(this.#edit, "aria-label", `Edit: ${orderName(order)}`);
  }

  #highlight(target) {
    clearTimeout(this.#highlights.get(target));
    target.classList.add("changed");
    const end = () => target.classList.remove("changed");
    this.#highlights.set(target, setTimeout(end, HIGHLIGHT));
  }
}

function itemRow() {
  const quantity = element("span", { class: "item-quantity" });
  return element("li", { "data-testid": "kitchen-item" }, [quantity, " ", element("span")]);
}
