// Writes values into the page. Everything that comes from the server is written as text.

import { shape } from "./chart.js";
import { ago, bytes, number, rate, shown, states } from "./words.js";

const WINDOW = 120_000;

export class View {
  #document;
  /** What the tables show. */
  #shown = new Map();

  constructor(document) {
    this.#document = document;
  }

  showState(state) {
    const element = this.#element("state");
    if (element.dataset.state === state && element.textContent === states[state]) return;
    element.dataset.state = state;
    element.textContent = states[state];
    this.#element("main").classList.toggle("old", state === "disconnected");
  }

  showReport(report, rates) {
    this.#element("main").setAttribute("aria-busy", "false");
    this.#write("connections", number(report.connections));
    this.#write("subscriptions", number(report.subscriptions));
    this.#write("published", number(report.published));
    this.#write("waiting", bytes(report.waitingBytes));
    this.#write("rate", rates.current ? rate(rates.current.events) : "–");
    this.#write("delivery-rate", rates.current ? rate(rates.current.deliveries) : "–");
    this.#draw(rates.points);
    this.#showChannels(report);
    this.#showSlow(report);
    this.#showErrors(report);
  }

  showHealth({ parts }) {
    this.#element("parts").replaceChildren(
      ...parts.map(({ name, failure = null, numbers }) => {
        const item = this.#make("li", "");
        item.append(this.#make("span", failure === null ? "✓ fine" : "✗ fails", failure === null ? "fine" : "fails"));
        item.append(` ${name}`);
        const details = Object.entries(numbers).map(([key, value]) => `${key} ${number(value)}`);
        if (failure !== null) details.unshift(failure);
        if (details.length > 0) item.append(this.#make("small", details.join(", ")));
        return item;
      }),
    );
  }

  #showChannels({ channels, channelCount }) {
    this.#write("channel-count", shown(channels.length, channelCount, "channel", "channels"));
    this.#rows("channels", channels.map(({ name, subscribers }) => [name, [number(subscribers), "number"]]));
  }

  #showSlow({ slow, slowCount }) {
    this.#write("slow-count", shown(slow.length, slowCount, "slow session", "slow sessions"));
    this.#rows(
      "slow",
      slow.map((session) => [
        (session.subject ?? "anonymous") + (session.stream ? " (event stream)" : ""),
        [number(session.channels), "number"],
        [number(session.events), "number"],
        [bytes(session.bytes), "number"],
        [`${number(session.seconds)} s`, "number"],
      ]),
    );
  }

  #showErrors({ errors, at }) {
    const count = errors.length;
    this.#write("error-count", count === 0 ? "No errors." : shown(count, count, "kind of error", "kinds of errors"));
    this.#rows(
      "errors",
      errors.map((error) => [
        ago(error.at, at),
        error.origin,
        `${error.message} (${error.code})`,
        [number(error.count), "number"],
      ]),
    );
  }

  #draw(points) {
    const values = points.map(({ at, events }) => ({ at, value: events }));
    const { line, area, end } = shape(values, { width: 600, height: 120, window: WINDOW });
    this.#element("chart-line").setAttribute("d", line);
    this.#element("chart-area").setAttribute("d", area);
    if (points.length === 0) return this.#write("chart-text", "Nothing measured yet.");
    const most = Math.max(...values.map(({ value }) => value));
    this.#write("chart-text", `At most ${rate(most)} a second. The top of the chart is ${number(end)}.`);
  }

  /** Only rows that are others: who selects some text keeps it. */
  #rows(id, rows) {
    const content = JSON.stringify(rows);
    if (this.#shown.get(id) === content) return;
    this.#shown.set(id, content);
    this.#element(id).replaceChildren(
      ...rows.map((cells) => {
        const row = this.#make("tr", "");
        for (const cell of cells) row.append(Array.isArray(cell) ? this.#make("td", ...cell) : this.#make("td", cell));
        return row;
      }),
    );
  }

  /** Only what is another text: people listen to some of these. */
  #write(id, text) {
    const element = this.#element(id);
    if (element.textContent !== text) element.textContent = text;
  }

  #make(name, text, className = "") {
    const element = this.#document.createElement(name);
    if (text) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  #element(id) {
    return this.#document.getElementById(id);
  }
}
