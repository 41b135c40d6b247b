// The page: orders, menu and settings, which follow the server, and the views that show them.

import { BroadcastClient } from "/tidings.js";
import { change, read } from "./api.js";
import { showConnection } from "./connection-indicator.js";
import { byId, setText } from "./dom.js";
import { makeDishDialog } from "./dish-dialog.js";
import { Finished } from "./finished.js";
import { makeMenuActions, makeSettingsActions } from "./house-actions.js";
import { showKitchen } from "./kitchen.js";
import { makeLive } from "./live.js";
import { loaders } from "./loaders.js";
import { showMenuPage } from "./menu-page.js";
import { refusal } from "./messages.js";
import { Mutations } from "./mutations.js";
import { makeOrderActions } from "./order-actions.js";
import { makeOrderDialog } from "./order-dialog.js";
import { showOrderEntry } from "./order-entry.js";
import { Outbox } from "./outbox.js";
import { OwnChanges } from "./own-changes.js";
import { followAddress } from "./routes.js";
import { showSettings } from "./settings-page.js";
import { makeToasts } from "./toast.js";
import { showView } from "./views.js";

const client = new BroadcastClient();
const own = new OwnChanges();
const outbox = new Outbox();
const toast = makeToasts(byId("toasts"));
const report = (error, wish, entity) => toast(refusal(error, wish, entity));
const mutations = new Mutations({ change, outbox, own, report });

// What follows the server.

const troubles = new Set();
const finished = new Finished(read);
const load = loaders(read, finished);
const [orders, menu, settings] = ["order", "menu_item", "settings"].map((channel) =>
  makeLive({
    ...load[channel],
    client,
    channel,
    own,
    onTrouble(isInTrouble) {
      troubles[isInTrouble ? "add" : "delete"](channel);
      drawFreshness();
    },
  }),
);

// Without a connection nobody says what changes, and what is shown grows old.
function drawFreshness() {
  const isHeard = client.state === "connected" || client.state === "connecting";
  setText(byId("freshness"), troubles.size > 0 || !isHeard ? "May be out of date" : "");
}

// What shows it.

const actions = makeOrderActions(mutations, orders);
const parts = { client, own, change, read, report: toast };
const house = { menu: menu.store, settings: settings.store };

showConnection({ indicator: byId("connection"), retry: byId("connect-now") }, client, outbox);
showOrderEntry({ store: orders.store, ...house, actions, report: toast });
showKitchen({ store: orders.store, actions, finished });
showMenuPage({ store: menu.store, actions: makeMenuActions(mutations, menu) });
showSettings({ live: settings, actions: makeSettingsActions(mutations, settings), ...parts });
const dialogs = { order: makeOrderDialog({ live: orders, ...parts }), dish: makeDishDialog({ live: menu, ...parts }) };
followAddress(dialogs, showView);

// Where the server was away, everything that failed meanwhile is tried again as soon as it is back.
client.onStateChange((state) => {
  drawFreshness();
  if (state !== "connected") return;
  outbox.retry();
  for (const live of [orders, menu, settings]) live.retry();
});
addEventListener("beforeunload", (event) => outbox.count > 0 && event.preventDefault());

for (const live of [settings, menu, orders]) live.start();
client.connect();
