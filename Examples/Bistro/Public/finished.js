import { FINISHED } from "./format.js";
import { withQuery } from "./pages.js";

const FIRST = 10;
const MOST = 200;

/** Which of the finished orders are fetched: the newest, and more of them page by page. */
export class Finished {
  #read;
  #wanted = FIRST;
  #cursor = null;

  /** @param {typeof import("./api.js").read} read */
  constructor(read) {
    this.#read = read;
  }

  /** Whether there are more than have been fetched. */
  get hasMore() {
    return this.#cursor !== null;
  }

  /** As many as are shown. */
  load() {
    return this.#fetch({ limit: this.#wanted });
  }

  /** The next page. */
  async more() {
    const page = await this.#fetch({ limit: FIRST, cursor: this.#cursor });
    this.#wanted = Math.min(MOST, this.#wanted + page.items.length);
    return page;
  }

  async #fetch(parameters) {
    const path = withQuery("/orders", { status: FINISHED, sort: "-updated_at", ...parameters });
    const { content, position } = await this.#read(path);
    this.#cursor = content.next_cursor;
    return { items: content.items, position };
  }
}
