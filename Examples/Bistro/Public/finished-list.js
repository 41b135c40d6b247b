import { arrange, byId, element, setAttribute, setText } from "./dom.js";
import { dishes, elapsed, isUnfinished, minutesSince, statusName, tableName } from "./format.js";

/**
 * The orders that have left the kitchen, the last one first.
 *
 * @param {{store: import("./entity-store.js").EntityStore, finished: import("./finished.js").Finished}} parts
 * @returns {() => void} Draws them.
 */
export function showFinished({ store, finished }) {
  const rows = new Map();
  const more = byId("finished-more");

  function draw() {
    const orders = store.all.filter((order) => !isUnfinished(order)).sort(lastChangedFirst);
    byId("finished").hidden = orders.length === 0;
    arrange(byId("finished-list"), orders.map(drawRow));
    more.hidden = !finished.hasMore;
  }

  function drawRow(order) {
    if (!rows.has(order.id)) rows.set(order.id, makeRow());
    const { row, table, detail, status, link } = rows.get(order.id);
    setText(table, tableName(order.table));
    setText(detail, `${order.reference} · ${dishes(order.items)} · ${ago(order.updated_at)}`);
    setText(status, statusName(order.status));
    setAttribute(status, "data-status", order.status);
    setAttribute(link, "href", `#/orders/${order.id}`);
    setAttribute(link, "aria-label", `Details of ${order.reference}`);
    return row;
  }

  more.addEventListener("click", async () => {
    more.disabled = true;
    const begunAt = store.fetchBegins();
    try {
      store.take([await finished.more()], begunAt);
    } finally {
      more.disabled = false;
    }
  });
  return draw;
}

function makeRow() {
  const table = element("strong");
  const detail = element("span", { class: "finished-detail" });
  const status = element("span", { class: "status" });
  const link = element("a", { class: "text-link", text: "Details" });
  return { row: element("li", { class: "finished-row" }, [table, detail, status, link]), table, detail, status, link };
}

const lastChangedFirst = (a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at);

function ago(moment) {
  const minutes = minutesSince(moment, Date.now());
  return minutes < 1 ? "just now" : `${elapsed(minutes)} ago`;
}
