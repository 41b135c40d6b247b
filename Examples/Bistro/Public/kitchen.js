import { arrange, byId, element, setText } from "./dom.js";
import { isUnfinished, statusName } from "./format.js";
import { KitchenCard } from "./kitchen-card.js";
import { news } from "./kitchen-news.js";

const MOST_FINISHED = 6;
const CLOCK_INTERVAL = 10_000;

/**
 * The kitchen's view: what is to be cooked, the oldest first, and below it what was finished last.
 *
 * @param {object} parts
 * @param {import("./order-store.js").OrderStore} parts.store
 * @param {object} parts.actions
 */
export function showKitchen({ store, actions }) {
  const cards = new Map();
  let known = null;

  function draw() {
    const orders = store.orders.map(withoutFailedItems);
    const unfinished = orders.filter(isUnfinished).sort(oldestFirst);
    const finished = orders.filter((order) => !isUnfinished(order)).sort(lastChangedFirst).slice(0, MOST_FINISHED);
    const focused = document.activeElement;

    arrange(byId("kitchen-cards"), unfinished.map(drawCard));
    arrange(byId("finished-cards"), finished.map(drawCard));
    byId("kitchen-empty").hidden = !store.isLoaded || unfinished.length > 0;
    byId("finished").hidden = finished.length === 0;
    drawCounts(unfinished);
    keepFocus(focused);
    dropCards([...unfinished, ...finished]);
    tellNews(orders);
  }

  function drawCard(order) {
    if (!cards.has(order.id)) cards.set(order.id, new KitchenCard(actions));
    const card = cards.get(order.id);
    card.show(order);
    card.showTime(Date.now());
    return card.element;
  }

  function dropCards(shown) {
    const ids = new Set(shown.map(({ id }) => id));
    for (const id of cards.keys()) if (!ids.has(id)) cards.delete(id);
  }

  // What the first look finds is no news.
  function tellNews(orders) {
    const now = new Map(orders.map((order) => [order.id, order]));
    if (known) {
      const { changed, text } = news(known, now);
      for (const id of changed) cards.get(id)?.highlight();
      if (text) byId("kitchen-news").textContent = text;
    }
    if (store.isLoaded) known = now;
  }

  store.onChange(draw);
  draw();
  setInterval(() => cards.forEach((card) => card.showTime(Date.now())), CLOCK_INTERVAL);
}

const oldestFirst = (a, b) => Date.parse(a.created_at) - Date.parse(b.created_at);
const lastChangedFirst = (a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at);

/** A dish that could not be sent is the business of whoever entered it. */
function withoutFailedItems(order) {
  const items = order.items.filter(({ change }) => change?.state !== "failed");
  return items.length === order.items.length ? order : { ...order, items };
}

function drawCounts(orders) {
  const chips = ["open", "preparing", "ready"].map((status, index) => {
    const chip = byId("counts").children[index] ?? element("li", { class: "status", "data-status": status });
    const count = orders.filter((order) => order.status === status).length;
    setText(chip, `${count} ${statusName(status).toLowerCase()}`);
    chip.hidden = count === 0;
    return chip;
  });
  arrange(byId("counts"), chips);
}

/** A card that moved, or whose buttons went away, must not take the focus with it. */
function keepFocus(focused) {
  if (!focused?.closest(".card")) return;
  if (focused.isConnected && !focused.closest("[hidden]")) {
    if (document.activeElement !== focused) focused.focus({ preventScroll: true });
  } else {
    byId("kitchen-heading").focus({ preventScroll: true });
  }
}
