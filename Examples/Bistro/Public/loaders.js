// What the page fetches of each kind of entity, by the channel that says when.

import { UNFINISHED } from "./format.js";
import { SETTINGS } from "./house-actions.js";
import { allPages } from "./pages.js";

const PAGE = 200;

/**
 * @param {typeof import("./api.js").read} read
 * @param {import("./finished.js").Finished} finished
 */
export function loaders(read, finished) {
  const one = (path) => (id) => read(`${path}/${encodeURIComponent(id)}`);
  return {
    order: {
      // The finished ones second: an order that is finished meanwhile is in both, and not in neither.
      async loadAll() {
        const unfinished = await allPages(read, "/orders", { status: UNFINISHED, sort: "created_at", limit: PAGE });
        return [...unfinished, await finished.load()];
      },
      loadOne: one("/orders"),
    },
    menu_item: {
      loadAll: () => allPages(read, "/menu_items", { sort: "name", limit: PAGE }),
      loadOne: one("/menu_items"),
    },
    settings: {
      async loadAll() {
        const { content, position } = await read(SETTINGS);
        return [{ items: [content], position }];
      },
      loadOne: () => read(SETTINGS),
    },
  };
}
