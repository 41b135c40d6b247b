import { arrange, byId, element, setText } from "./dom.js";
import { isUnfinished, statusName, tableName } from "./format.js";

/** The chosen order: what is on it, what is still being sent or could not be, and its note. */
export class Ticket {
  #store;
  #actions;
  #drafts = new Map();
  #saving = new Map();
  #rows = new Map();
  #orderId = null;
  #input = byId("note-input");
  #save = byId("note-save");

  /** @param {{store: import("./order-store.js").OrderStore, actions: object}} parts */
  constructor({ store, actions }) {
    this.#store = store;
    this.#actions = actions;
    this.#input.addEventListener("input", () => this.#edit());
    byId("note-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#saveNote();
    });
  }

  /** Shows an order. A note that was begun for another one is kept for it. */
  show(orderId) {
    this.#orderId = orderId;
    this.draw();
  }

  draw() {
    const order = this.#orderId && this.#store.order(this.#orderId);
    setText(byId("ticket-heading"), order ? tableName(order.table) : "No order chosen");
    this.#drawItems(order?.items ?? []);
    const hint = hintFor(order);
    setText(byId("ticket-hint"), hint);
    byId("ticket-hint").hidden = hint === "";
    this.#drawNote(order);
  }

  // A row stays the same element as long as it says the same: nobody's click is lost to a change elsewhere.
  #drawItems(items) {
    const before = this.#rows;
    this.#rows = new Map();
    for (const item of items) {
      const { id, name, quantity, change } = item;
      const key = [this.#orderId, change?.id ?? id, change?.state, quantity, name].join(" ");
      this.#rows.set(key, before.get(key) ?? this.#makeRow(item));
    }
    arrange(byId("ticket-items"), [...this.#rows.values()]);
  }

  #makeRow({ name, quantity, change }) {
    const text = element("span", { text: `${quantity} × ${name}` });
    if (!change) return element("li", {}, [text]);
    if (change.state === "sending") return element("li", { class: "sending" }, [text]);
    const again = () => this.#actions.sendAgain(change);
    const discard = () => this.#actions.discard(change);
    return element("li", { class: "failed", "data-testid": "failed-item" }, [
      text,
      " ",
      element("span", { class: "failed-mark", text: "not sent" }),
      element("button", { type: "button", class: "plain small", text: "Try again", onclick: again }),
      element("button", { type: "button", class: "quiet small", text: "Discard", onclick: discard }),
    ]);
  }

  // The note. What is being written is the page's own until it is saved.

  #drawNote(order) {
    const text = this.#drafts.get(this.#orderId) ?? order?.note ?? "";
    if (this.#input.value !== text) this.#input.value = text;
    this.#input.disabled = !order;
    this.#save.disabled = !order;
    this.#save.classList.toggle("primary", this.#drafts.has(this.#orderId));
  }

  #edit() {
    const saved = this.#store.order(this.#orderId)?.note ?? "";
    if (this.#input.value === saved) this.#drafts.delete(this.#orderId);
    else this.#drafts.set(this.#orderId, this.#input.value);
    this.draw();
  }

  async #saveNote() {
    const orderId = this.#orderId;
    const draft = this.#drafts.get(orderId);
    if (draft === undefined || this.#saving.get(orderId) === draft) return;
    this.#saving.set(orderId, draft);
    setText(this.#save, "Saving…");
    const isSaved = await this.#actions.setNote(orderId, draft.trim());
    this.#saving.delete(orderId);
    setText(this.#save, "Save");
    // More may have been written meanwhile.
    if (isSaved && this.#drafts.get(orderId) === draft) this.#drafts.delete(orderId);
    this.draw();
  }
}

function hintFor(order) {
  if (!order) return "Choose an order above to add dishes to it.";
  if (!isUnfinished(order)) return `This order is ${statusName(order.status).toLowerCase()}.`;
  return order.items.length === 0 ? "Choose dishes from the menu." : "";
}
