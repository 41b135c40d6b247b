// The console's page: everything it shows comes over one WebSocket.

import { LiveFeeds } from "./feed.js";
import { Rates } from "./rates.js";
import { View } from "./view.js";

const view = new View(document);
const rates = new Rates();

const url = new URL("feed", import.meta.url);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";

const shows = {
  report: (report) => {
    rates.add(report);
    view.showReport(report, rates);
  },
  health: (health) => view.showHealth(health),
};

new LiveFeeds(url.href, {
  onValue: (name, data) => shows[name]?.(data),
  onState: (state) => view.showState(state),
}).connect();
