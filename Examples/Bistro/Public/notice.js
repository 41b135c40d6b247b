import { element, setAttribute, setText } from "./dom.js";

/** What is to be known before one goes on: a live region with at most one thing to do about it. */
export class Notice {
  #text = element("p");
  #button = element("button", { type: "button", class: "plain small", "data-testid": "notice-action" });
  #act = () => {};

  /** What kind of notice is shown; null for none. */
  kind = null;

  constructor() {
    this.#button.addEventListener("click", () => this.#act());
    const children = [this.#text, this.#button];
    this.element = element("div", { class: "notice", role: "status", "data-testid": "notice" }, children);
    this.clear();
  }

  show(kind, text, action = "", act = () => {}) {
    this.kind = kind;
    this.#act = act;
    setAttribute(this.element, "data-kind", kind);
    setText(this.#text, text);
    setText(this.#button, action);
    this.#button.hidden = action === "";
  }

  clear() {
    this.show(null, "");
  }
}
