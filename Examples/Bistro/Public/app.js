// The page: order entry and kitchen on one set of orders, which follows the server.

import { BroadcastClient } from "/tidings.js";
import { makeActions } from "./actions.js";
import { api } from "./api.js";
import { showConnection } from "./connection-indicator.js";
import { byId, setText } from "./dom.js";
import { showKitchen } from "./kitchen.js";
import { showOrderEntry } from "./order-entry.js";
import { OrderStore } from "./order-store.js";
import { Refresher } from "./refresher.js";
import { makeToasts } from "./toast.js";

const client = new BroadcastClient();
const store = new OrderStore();
const toast = makeToasts(byId("toasts"));

let fetchesFail = false;

// Without a connection nobody says what changes, and what is shown grows old.
function drawFreshness() {
  const isHeard = client.state === "connected" || client.state === "connecting";
  setText(byId("freshness"), fetchesFail || !isHeard ? "May be out of date" : "");
}

const refresher = new Refresher({
  async fetchAll() {
    const begunAt = store.fetchBegins();
    store.takeAll(await api.orders(), begunAt);
  },
  async fetchOne(id) {
    const begunAt = store.fetchBegins();
    try {
      store.take(await api.order(id), begunAt);
    } catch (error) {
      if (error.status !== 404) throw error;
      store.forget(id, begunAt);
    }
  },
  onTrouble(isInTrouble) {
    fetchesFail = isInTrouble;
    drawFreshness();
  },
});

const actions = makeActions({ store, api, refresher, report: (error) => toast(error.message) });

showConnection({ indicator: byId("connection"), retry: byId("connect-now") }, client);
showOrderEntry({ store, actions });
showKitchen({ store, actions });

// An event names the order that changed; one that does not, such as `stale`, means all of them. What is fetched before
// the subscription is in force may have missed a change, so it is fetched once more then. After a reconnect the server
// tells what was missed, if it still knows, and nothing has to be fetched but that.
client.subscribe("order", hearOfChange, { onSubscribed: hearFromNowOn });

function hearOfChange({ payload }) {
  if (payload.entity_id === undefined) refresher.refreshAll();
  else refresher.refresh(String(payload.entity_id));
}

function hearFromNowOn({ recovered }) {
  if (!recovered) refresher.refreshAll();
}

client.onStateChange(drawFreshness);
client.connect();
refresher.refreshAll();
