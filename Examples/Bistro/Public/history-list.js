import { element, setText } from "./dom.js";
import { told } from "./history.js";
import { withQuery } from "./pages.js";

const PAGE = 10;

/** Who did what to an entity, and when: the newest first, page by page. */
export class HistoryList {
  #read;
  #path;
  #items;
  #id = null;
  #entries = [];
  #cursor = null;
  #request = 0;
  #list = element("ol", { class: "history-list", "data-testid": "history" });
  #state = element("p", { class: "hint" });
  #more = element("button", { type: "button", class: "plain small", text: "Show more", hidden: true });

  /**
   * @param {object} parts
   * @param {typeof import("./api.js").read} parts.read
   * @param {(id: string) => string} parts.path
   * @param {(id: string) => object[]} parts.items The dishes that entries are about.
   */
  constructor({ read, path, items }) {
    this.#read = read;
    this.#path = path;
    this.#items = items;
    this.#more.addEventListener("click", () => this.#fetch(this.#entries, this.#cursor));
    const heading = element("h3", { id: "history-heading", text: "History" });
    const children = [heading, this.#state, this.#list, this.#more];
    this.element = element("section", { class: "history", "aria-labelledby": "history-heading" }, children);
  }

  /** Shows the history of an entity, as it is now. */
  show(id) {
    if (id !== this.#id) {
      this.#entries = [];
      this.#cursor = null;
      this.#draw();
    }
    this.#id = id;
    this.#fetch([], null);
  }

  // Of several requests under way the last one counts.
  async #fetch(before, cursor) {
    const request = ++this.#request;
    if (this.#entries.length === 0) setText(this.#state, "Loading…");
    try {
      const { content } = await this.#read(withQuery(this.#path(this.#id), { limit: PAGE, cursor }));
      if (request !== this.#request) return;
      this.#entries = [...before, ...content.items];
      this.#cursor = content.next_cursor;
      setText(this.#state, "");
      this.#draw();
    } catch (error) {
      if (request === this.#request) setText(this.#state, `The history is not to be had: ${error.message}`);
    }
  }

  #draw() {
    const items = this.#items(this.#id);
    this.#list.replaceChildren(...this.#entries.map((entry) => row(told(entry, items))));
    this.#more.hidden = this.#cursor === null;
  }
}

function row({ who, what, when }) {
  const isToday = when.toDateString() === new Date().toDateString();
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const text = isToday ? time : `${when.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
  return element("li", {}, [
    element("span", { class: "history-what", text: what }),
    " ",
    element("span", { class: "history-who", text: who }),
    " ",
    element("time", { datetime: when.toISOString(), title: when.toLocaleString(), text }),
  ]);
}
