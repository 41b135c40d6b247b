import { byId, setText } from "./dom.js";
import { Draft } from "./draft.js";
import { fieldErrors } from "./field-errors.js";

const NOTE = { name: "note", label: "A note" };

/**
 * The note of the chosen order. What is being written is the page's own until it is saved. Dishes that others add
 * meanwhile do not matter to it; another note does.
 */
export class TicketNote {
  #store;
  #actions;
  #report;
  #drafts = new Map();
  #order = null;
  #input = byId("note-input");
  #save = byId("note-save");

  constructor({ store, actions, report }) {
    this.#store = store;
    this.#actions = actions;
    this.#report = report;
    this.#input.addEventListener("input", () => this.#edit());
    byId("note-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const draft = this.#order && this.#drafts.get(this.#order.id);
      if (draft) this.#send(this.#order.id, draft);
    });
  }

  /** Shows an order's note. One that was begun for another order is kept for it. */
  draw(order) {
    if (order?.id !== this.#order?.id) this.#showError("");
    this.#order = order;
    const draft = order && this.#drafts.get(order.id);
    const text = draft ? draft.text : (order?.note ?? "");
    if (this.#input.value !== text) this.#input.value = text;
    this.#input.disabled = !order;
    this.#save.disabled = !order;
    this.#save.classList.toggle("primary", Boolean(draft));
  }

  #edit() {
    const { id } = this.#order;
    const base = this.#store.known(id)?.entity ?? this.#order;
    const draft = this.#drafts.get(id) ?? new Draft(base, ["note"]);
    draft.text = this.#input.value;
    draft.set("note", this.#input.value.trim() || null);
    if (draft.isDirty) this.#drafts.set(id, draft);
    else this.#drafts.delete(id);
    this.#showError("");
    this.draw(this.#store.get(id));
  }

  // The draft ends when it is on its way, and is back should the server refuse it.
  async #send(id, draft) {
    const { note, version } = draft.body;
    this.#drafts.delete(id);
    this.#showError("");
    await this.#actions.setNote(id, note, version, (error) => this.#recover(id, draft, error));
    this.draw(this.#order && this.#store.get(this.#order.id));
  }

  /** @returns {boolean} Whether the refusal has been dealt with. */
  #recover(id, draft, error) {
    if (error.code === "stale_version") {
      draft.rebase(error.current);
      if (draft.conflicts.size === 0 && draft.isDirty) this.#send(id, draft);
      if (draft.conflicts.size > 0) this.#giveBack(id, draft, this.#collision(error.current));
      return true;
    }
    const reason = fieldErrors(error.errors ?? [], [NOTE]).get("note");
    this.#giveBack(id, draft, reason ?? "");
    return reason !== undefined;
  }

  #collision({ note }) {
    return `Somebody else wrote: “${note ?? ""}”. Save again to replace it.`;
  }

  #giveBack(id, draft, text) {
    if (!this.#drafts.has(id)) this.#drafts.set(id, draft);
    if (this.#order?.id === id) this.#showError(text);
    else if (text) this.#report(`The note was not saved. ${text}`);
  }

  #showError(text) {
    setText(byId("note-error"), text);
    this.#input.setAttribute("aria-invalid", text !== "");
  }
}
