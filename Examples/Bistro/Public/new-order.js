import { byId, setText } from "./dom.js";
import { fieldErrors } from "./field-errors.js";

const TABLE = { name: "table", label: "The name of a table" };

/**
 * The form that opens an order. The order is there at once; should the server refuse the table, it is back in the field
 * with the reason.
 */
export class NewOrder {
  #form = byId("new-order");
  #input = byId("new-order-table");
  #actions;
  #onOpened;

  /** @param {{actions: object, onOpened: (orderId: string) => void}} parts */
  constructor({ actions, onOpened }) {
    this.#actions = actions;
    this.#onOpened = onOpened;
    this.#input.addEventListener("input", () => this.#hint(""));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(this.#input.value.trim());
    });
  }

  setEnabled(isEnabled) {
    for (const control of this.#form.elements) control.disabled = !isEnabled;
  }

  #submit(table) {
    if (table === "") {
      this.#hint("Which table is it for?");
      this.#input.focus();
      return;
    }
    this.#hint("");
    this.#input.value = "";
    this.#onOpened(this.#actions.open(table, (error) => this.#giveBack(table, error)).id);
  }

  /** @returns {boolean} Whether the reason is shown here. */
  #giveBack(table, error) {
    if (this.#input.value === "") this.#input.value = table;
    const reason = fieldErrors(error.errors ?? [], [TABLE]).get("table");
    if (!reason) return false;
    this.#hint(reason);
    this.#input.focus();
    return true;
  }

  #hint(text) {
    setText(byId("new-order-hint"), text);
    this.#input.setAttribute("aria-invalid", text !== "");
  }
}
