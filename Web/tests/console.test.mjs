import assert from "node:assert/strict";
import { test } from "node:test";
import { consoleModule, ManualClock } from "./support.mjs";

const { LiveFeeds, SILENCE } = await consoleModule("feed.js");
const { Rates } = await consoleModule("rates.js");
const { scaleEnd, shape } = await consoleModule("chart.js");
const { View } = await consoleModule("view.js");
const words = await consoleModule("words.js");

function listening() {
  const clock = new ManualClock();
  const sockets = [];
  class WebSocket {
    isClosed = false;
    constructor(url) {
      this.url = url;
      sockets.push(this);
    }
    close() {
      this.isClosed = true;
    }
    tell(value) {
      this.onmessage({ data: typeof value === "string" ? value : JSON.stringify(value) });
    }
  }
  const [values, states] = [[], []];
  const feeds = new LiveFeeds("ws://server/console/feed", {
    onValue: (name, data) => values.push([name, data]),
    onState: (state) => states.push(state),
    browser: { WebSocket, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, random: () => 1 },
  });
  feeds.connect();
  return { clock, sockets, values, states };
}

test("values arrive under the names of their feeds, and what is none is passed over", () => {
  const { sockets, values, states } = listening();
  assert.deepEqual(states, ["connecting"]);
  sockets[0].tell({ type: "report_update", data: { connections: 1 } });
  sockets[0].tell({ type: "error", code: "bad_channel" });
  sockets[0].tell("no JSON");
  sockets[0].tell("null");
  assert.deepEqual(values, [["report", { connections: 1 }]]);
  assert.equal(states.at(-1), "connected");
});

test("a lost connection comes back, ever later, until it is heard again", () => {
  const { clock, sockets, states } = listening();
  sockets[0].tell({ type: "report_update", data: {} });
  for (const [place, delay] of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000].entries()) {
    sockets[place].onclose();
    assert.equal(states.at(-1), "disconnected");
    assert.deepEqual(clock.pending, [delay]);
    clock.advance(delay);
    assert.equal(sockets.length, place + 2);
    assert.equal(states.at(-1), "disconnected");
  }
  sockets.at(-1).tell({ type: "report_update", data: {} });
  assert.equal(states.at(-1), "connected");
  sockets.at(-1).onclose();
  assert.deepEqual(clock.pending, [1_000]);
});

test("a silent connection is taken for lost, and nothing of it counts any more", () => {
  const { clock, sockets, values, states } = listening();
  sockets[0].tell({ type: "report_update", data: 1 });
  clock.advance(SILENCE - 1);
  sockets[0].tell({ type: "report_update", data: 2 });
  clock.advance(SILENCE - 1);
  assert.equal(states.at(-1), "connected");
  clock.advance(1);
  assert.equal(states.at(-1), "disconnected");
  assert.ok(sockets[0].isClosed);
  sockets[0].tell({ type: "report_update", data: 3 });
  sockets[0].onclose();
  assert.deepEqual(values.map(([, data]) => data), [1, 2]);
  assert.equal(clock.pending.length, 1);
});

const counted = (measured, published, delivered = 0) => ({ measured, published, delivered });

test("rates are differences over the server's time, of the last while", () => {
  const rates = new Rates(3_000);
  rates.add(counted(1_000, 5));
  assert.equal(rates.current, null);
  rates.add(counted(3_000, 15, 40));
  assert.deepEqual(rates.current, { at: 3_000, events: 5, deliveries: 20 });
  rates.add(counted(3_000, 15, 40));
  assert.equal(rates.points.length, 1);
  for (const measured of [4_000, 5_000, 6_000]) rates.add(counted(measured, 15, 40));
  assert.deepEqual(rates.points.map(({ at }) => at), [4_000, 5_000, 6_000]);
});

test("a server that began anew, and a time in which nobody looked, have no rate", () => {
  const rates = new Rates();
  rates.add(counted(1_000, 5));
  rates.add(counted(2_000, 9));
  rates.add(counted(500, 2));
  assert.equal(rates.current, null);
  rates.add(counted(1_500, 3));
  assert.equal(rates.current.events, 1);
  rates.add(counted(20_000, 900));
  assert.equal(rates.current, null);
});

test("the chart's newest point is at its right edge, and its scale ends with a round number", () => {
  assert.deepEqual([[], [0], [1], [1.1], [7], [10], [11], [450]].map(scaleEnd), [1, 1, 1, 2, 10, 10, 20, 500]);
  const points = [{ at: 0, value: 0 }, { at: 50, value: 10 }];
  assert.deepEqual(shape(points, { width: 100, height: 20, window: 100 }), {
    line: "M50 20L100 0",
    area: "M50 20L100 0L100 20L50 20Z",
    end: 10,
  });
  assert.deepEqual(shape([], { width: 100, height: 20, window: 100 }), { line: "", area: "", end: 1 });
});

test("what the page calls things", () => {
  assert.deepEqual([0, 0.25, 9.96, 1234].map(words.rate), ["0", "0.3", "10", "1,234"]);
  assert.deepEqual([0, 1023, 1024, 3 * 1024 ** 2].map(words.bytes), ["0 B", "1023 B", "1.0 KiB", "3.0 MiB"]);
  const ago = (seconds) => words.ago(0, seconds * 1000);
  assert.deepEqual([-5, 59, 60, 3_600, 90_000].map(ago), ["0 s ago", "59 s ago", "1 min ago", "1 h ago", "1 d ago"]);
  assert.equal(words.shown(0, 0, "channel", "channels"), "No channels.");
  assert.equal(words.shown(1, 1, "channel", "channels"), "1 channel.");
  assert.equal(words.shown(20, 3000, "channel", "channels"), "3,000 channels; the first 20 are shown.");
});

/** As much of a document as the page uses; knows no HTML, as the page may not either. */
class Element {
  children = [];
  attributes = {};
  dataset = {};
  classes = new Set();
  writes = 0;
  #text = "";
  classList = { toggle: (name, isOn) => (isOn ? this.classes.add(name) : this.classes.delete(name)) };
  get textContent() {
    return this.#text + this.children.map((child) => child.textContent ?? child).join("");
  }
  set textContent(text) {
    this.writes += 1;
    this.#text = text;
  }
  append(...children) {
    this.children.push(...children);
  }
  replaceChildren(...children) {
    this.writes += 1;
    this.children = children;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
}

function shownOn() {
  const elements = new Map();
  const element = (id) => elements.get(id) ?? elements.set(id, new Element()).get(id);
  return { view: new View({ getElementById: element, createElement: () => new Element() }), element };
}

const report = {
  measured: 2_000, at: 100_000, connections: 2, subscriptions: 3, published: 20, delivered: 40, superseded: 0,
  collapsed: 0, waitingBytes: 2048, channelCount: 30, channels: [{ name: "<b>order</b>", subscribers: 2 }], slowCount: 1,
  slow: [{ stream: true, channels: 1, events: 7, bytes: 2048, seconds: 4 }],
  errors: [{ origin: "client", code: "bad_json", message: "The message is not JSON.", count: 3, at: 90_000 }],
};

test("a report is written as text, and what did not change is not written again", () => {
  const { view, element } = shownOn();
  const rates = new Rates();
  rates.add(counted(1_000, 10, 20));
  rates.add(report);
  for (let times = 0; times < 2; times += 1) view.showReport(report, rates);
  const text = (id) => element(id).textContent;
  assert.deepEqual(
    ["connections", "subscriptions", "rate", "delivery-rate", "waiting"].map(text),
    ["2", "3", "10", "20", "2.0 KiB"],
  );
  for (const id of ["connections", "channels", "slow", "errors"]) assert.equal(element(id).writes, 1, id);
  assert.equal(text("channels"), "<b>order</b>2");
  assert.equal(text("channel-count"), "30 channels; the first 1 are shown.");
  assert.equal(text("slow"), "anonymous (event stream)172.0 KiB4 s");
  assert.equal(text("slow-count"), "1 slow session.");
  assert.equal(text("errors"), "10 s agoclientThe message is not JSON. (bad_json)3");
  assert.equal(element("chart-line").attributes.d, "M600 0");
});

test("health says what fails and why, and a lost connection shows", () => {
  const { view, element } = shownOn();
  view.showHealth({
    parts: [{ name: "broadcast", numbers: {} }, { name: "outbox", failure: "It is late.", numbers: { lag: 1200 } }],
  });
  assert.equal(element("parts").textContent, "✓ fine broadcast✗ fails outboxIt is late., lag 1,200");
  view.showState("disconnected");
  assert.ok(element("main").classes.has("old"));
  assert.equal(element("state").dataset.state, "disconnected");
  view.showState("connected");
  assert.ok(!element("main").classes.has("old"));
  assert.equal(element("state").textContent, "Live");
});
