import { arrange, byId, element, setText } from "./dom.js";
import { showFinished } from "./finished-list.js";
import { UNFINISHED, isUnfinished, statusName } from "./format.js";
import { KitchenCard } from "./kitchen-card.js";
import { news } from "./kitchen-news.js";

const CLOCK_INTERVAL = 10_000;
const EMPTY = { open: "Nothing waits.", preparing: "Nothing on the stove.", ready: "Nothing to serve." };

/**
 * The kitchen's view: what is to be cooked, by state, the oldest first. What is finished leaves.
 *
 * @param {object} parts
 * @param {import("./entity-store.js").EntityStore} parts.store
 * @param {object} parts.actions
 * @param {import("./finished.js").Finished} parts.finished
 */
export function showKitchen({ store, actions, finished }) {
  const cards = new Map();
  const lanes = new Map(UNFINISHED.map((status) => [status, makeLane(status)]));
  const drawFinished = showFinished({ store, finished });
  let known = null;

  function draw() {
    const orders = store.all;
    const focused = document.activeElement;
    const unfinished = orders.filter(isUnfinished).sort(oldestFirst);
    for (const [status, lane] of lanes) drawLane(lane, unfinished.filter((order) => order.status === status));
    drawFinished();
    keepFocus(focused);
    dropCards(unfinished);
    tellNews(orders);
  }

  function drawLane({ count, list, empty }, orders) {
    arrange(list, orders.map(drawCard));
    setText(count, String(orders.length));
    empty.hidden = !store.isLoaded || orders.length > 0;
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

  byId("lanes").replaceChildren(...[...lanes.values()].map(({ section }) => section));
  store.onChange(draw);
  draw();
  setInterval(() => cards.forEach((card) => card.showTime(Date.now())), CLOCK_INTERVAL);
}

const oldestFirst = (a, b) => Date.parse(a.created_at) - Date.parse(b.created_at);

function makeLane(status) {
  const count = element("span", { class: "lane-count" });
  const list = element("div", { class: "cards" });
  const empty = element("p", { class: "lane-empty", text: EMPTY[status], hidden: true });
  const heading = element("h2", { id: `lane-${status}` }, [statusName(status), " ", count]);
  const attributes = { class: "lane", "data-status": status, "aria-labelledby": `lane-${status}` };
  return { section: element("section", attributes, [heading, list, empty]), count, list, empty };
}

/** A card that moved, or went away, must not take the focus with it. */
function keepFocus(focused) {
  if (!focused?.closest(".card")) return;
  if (focused.isConnected && !focused.closest("[hidden]")) {
    if (document.activeElement !== focused) focused.focus({ preventScroll: true });
  } else {
    byId("kitchen-heading").focus({ preventScroll: true });
  }
}
