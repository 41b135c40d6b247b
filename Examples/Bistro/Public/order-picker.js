import { arrange, byId, element, setAttribute, setText } from "./dom.js";
import { dishes, isUnfinished, statusName, tableName } from "./format.js";

/** The list in which the order to add to is chosen: every unfinished one, and the chosen one whatever its status. */
export class OrderPicker {
  #options = new Map();
  #store;
  #onSelect;

  /** The chosen order, or null. */
  selected = null;

  /**
   * @param {object} parts
   * @param {import("./entity-store.js").EntityStore} parts.store
   * @param {(orderId: string) => void} parts.onSelect
   */
  constructor({ store, onSelect }) {
    this.#store = store;
    this.#onSelect = onSelect;
  }

  select(orderId) {
    this.selected = orderId;
    this.draw();
    this.#options.get(orderId)?.label.scrollIntoView({ block: "nearest" });
    this.#onSelect(orderId);
  }

  draw() {
    const shown = this.#store.all.filter((order) => isUnfinished(order) || order.id === this.selected);
    shown.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
    arrange(byId("order-options"), shown.map((order) => this.#drawOption(order)));
    byId("order-options-empty").hidden = shown.length > 0 || !this.#store.isLoaded;
    const ids = new Set(shown.map(({ id }) => id));
    for (const id of this.#options.keys()) if (!ids.has(id)) this.#options.delete(id);
  }

  #drawOption(order) {
    if (!this.#options.has(order.id)) this.#options.set(order.id, this.#makeOption(order.id));
    const { label, input, table, detail, status } = this.#options.get(order.id);
    input.checked = order.id === this.selected;
    setText(table, tableName(order.table));
    setText(detail, dishes(order.items));
    setAttribute(label, "title", order.reference);
    setText(status, statusName(order.status));
    setAttribute(status, "data-status", order.status);
    return label;
  }

  #makeOption(id) {
    const input = element("input", { type: "radio", name: "order", value: id, onchange: () => this.select(id) });
    const table = element("span", { class: "option-table" });
    const detail = element("span", { class: "option-detail" });
    const status = element("span", { class: "status" });
    const text = element("span", { class: "option-text" }, [table, " ", detail]);
    const label = element("label", { class: "option", "data-order-id": id }, [input, text, " ", status]);
    return { label, input, table, detail, status };
  }
}
