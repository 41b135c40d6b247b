import { arrange, element, setAttribute, setText } from "./dom.js";
import { elapsed, minutesSince, nextStep, statusName, tableName } from "./format.js";

const HIGHLIGHT = 2_500;
const LATE = 15;
const VERY_LATE = 30;

/** One order as the kitchen sees it: an element that follows its order. */
export class KitchenCard {
  #order = null;
  #time = element("time", { class: "card-time" });
  #table = element("h3", { class: "card-table" });
  #status = element("p", { class: "status" });
  #note = element("p", { class: "card-note", hidden: true });
  #items = element("ul", { class: "card-items" });
  #noItems = element("p", { class: "card-no-items", text: "No dishes yet" });
  #advance = element("button", { type: "button", class: "advance", "data-testid": "advance" });
  #cancel = element("button", { type: "button", class: "quiet", "data-testid": "cancel", text: "Cancel" });
  #actions = element("div", { class: "card-actions" }, [this.#advance, this.#cancel]);
  #highlights = new Map();

  /** @param {{setStatus: (id: string, status: string) => void}} actions */
  constructor(actions) {
    this.element = element("article", { class: "card", "data-testid": "kitchen-order", tabindex: "-1" }, [
      element("header", { class: "card-head" }, [this.#table, this.#time, this.#status]),
      this.#note,
      this.#items,
      this.#noItems,
      this.#actions,
    ]);
    // The second click of a double click would hit the step after the next.
    const onSingleClick = (button, act) => button.addEventListener("click", ({ detail }) => detail > 1 || act());
    onSingleClick(this.#advance, () => actions.setStatus(this.#order.id, nextStep(this.#order.status).status));
    onSingleClick(this.#cancel, () => actions.setStatus(this.#order.id, "cancelled"));
  }

  /** Shows an order, and highlights what is not as it was. */
  show(order) {
    const before = this.#order;
    this.#order = order;
    setAttribute(this.element, "data-order-id", order.id);
    setAttribute(this.element, "data-status", order.status);
    setAttribute(this.element, "data-version", order.version);
    setText(this.#table, tableName(order.table));
    setText(this.#status, statusName(order.status));
    setText(this.#note, order.note ?? "");
    this.#note.hidden = !order.note;
    this.#showItems(order.items, before?.items);
    this.#showActions(nextStep(order.status));
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

  #showActions(step) {
    this.#actions.hidden = step === null;
    if (!step) return;
    this.#cancel.hidden = !step.cancellable;
    setText(this.#advance, step.action);
    setAttribute(this.#advance, "aria-label", `${step.action}: ${tableName(this.#order.table)}`);
    setAttribute(this.#cancel, "aria-label", `Cancel: ${tableName(this.#order.table)}`);
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
