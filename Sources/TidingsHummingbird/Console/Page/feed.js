// One WebSocket that comes back by itself.

/** The server says something every second or so: after this long without a word it is taken for gone. */
export const SILENCE = 6_000;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;
/** What a feed's message has behind its name. */
const SUFFIX = "_update";

/** Hears the feeds of a server: `onValue(name, data)` for each value, `onState(state)` when the connection changes. */
export class LiveFeeds {
  #url;
  #browser;
  #onValue;
  #onState;
  #socket = null;
  #timer = null;
  #failures = 0;

  /** `browser` has what a browser has: WebSocket, setTimeout, clearTimeout, random. */
  constructor(url, { onValue, onState, browser = defaultBrowser() }) {
    this.#url = url;
    this.#onValue = onValue;
    this.#onState = onState;
    this.#browser = browser;
  }

  connect() {
    this.#onState(this.#failures === 0 ? "connecting" : "disconnected");
    const socket = new this.#browser.WebSocket(this.#url);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#heard(socket, data);
    socket.onclose = () => this.#lost(socket);
    // A connection that is never answered is silent too.
    this.#watch(socket);
  }

  #heard(socket, text) {
    if (socket !== this.#socket) return;
    this.#watch(socket);
    const message = read(text);
    if (!message) return;
    this.#onState("connected");
    this.#failures = 0;
    this.#onValue(message.name, message.data);
  }

  #watch(socket) {
    this.#browser.clearTimeout(this.#timer);
    this.#timer = this.#browser.setTimeout(() => {
      this.#lost(socket);
      socket.close();
    }, SILENCE);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#browser.clearTimeout(this.#timer);
    this.#failures += 1;
    this.#onState("disconnected");
    // Not all pages at once after a restart.
    const longest = Math.min(FIRST_DELAY * 2 ** this.#failures, LONGEST_DELAY);
    this.#timer = this.#browser.setTimeout(() => this.connect(), longest * (0.5 + this.#browser.random() / 2));
  }
}

function read(text) {
  try {
    const { type, data } = JSON.parse(text);
    return typeof type === "string" && type.endsWith(SUFFIX) ? { name: type.slice(0, -SUFFIX.length), data } : null;
  } catch {
    return null;
  }
}

function defaultBrowser() {
  return {
    WebSocket: globalThis.WebSocket,
    setTimeout: globalThis.setTimeout.bind(globalThis),
    clearTimeout: globalThis.clearTimeout.bind(globalThis),
    random: Math.random,
  };
}
