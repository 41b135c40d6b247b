// The browser's client of a Tidings server: hears on which channels something changed.
//
//   import { BroadcastClient } from "/tidings.js";
//
//   const client = new BroadcastClient();
//   client.subscribe("order", ({ event, payload }) => refetch(payload.entity_id), { onSubscribed: refetchAll });
//   client.connect();

import { idle, step, visibleState } from "./tidings/connection-state.js";
import { decodeExtendedMessage } from "./tidings/extended-wire.js";
import { Subscriptions } from "./tidings/subscriptions.js";
import { channelMessages, closeAdvice, decodeServerMessage, isValidChannel } from "./tidings/wire.js";

export { closeAdvice, decodeExtendedMessage, decodeServerMessage, isValidChannel };

const DEFAULT_PATH = "/ws/broadcast";

const defaults = () => ({
  url: DEFAULT_PATH,
  backoffBase: 500,
  backoffMax: 20_000,
  maxAttempts: Infinity,
  connectTimeout: 10_000,
  heartbeatInterval: 25_000,
  heartbeatTimeout: 10_000,
  WebSocket: globalThis.WebSocket,
  random: () => Math.random(),
  setTimeout: (action, ms) => globalThis.setTimeout(action, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
  network: typeof globalThis.addEventListener === "function" ? globalThis : null,
  reportError: (error) => (globalThis.reportError ?? console.error)(error),
});

/**
 * One connection to a Tidings server that comes back by itself, and the subscriptions on it.
 *
 * A subscription outlives the connection: it can be made and given up in every state, and each new connection
 * subscribes again. The events of a channel arrive in the order in which the server numbered them; between channels
 * there is no order. What was missed while there was no connection is unknown, so after each reconnect every channel
 * gets an event `stale` with the payload `{reason: "gap"}` as soon as its subscription is in force again: whoever hears
 * `stale` fetches everything that it shows of the channel. The server sends `stale` for reasons of its own as well.
 *
 * Handlers are called one after the other, never while `subscribe` runs; listeners of the state also from within
 * `connect` and `disconnect`. One that throws does not keep the others from being called; the error goes to the
 * window's `error` event.
 */
export class BroadcastClient {
  #options;
  #connection = idle;
  #subscriptions = new Subscriptions();
  #socket = null;
  #timers = new Map();
  #flushIsPlanned = false;
  #stateListeners = new Set();
  #errorListeners = new Set();
  #announced = visibleState(idle);
  #isAnnouncing = false;
  #hearsNetwork = false;
  #onOnline = () => this.#step({ type: "online" });

  /**
   * A client that does nothing yet: {@link connect} starts it.
   *
   * @param {object} [options] All optional. Times are in milliseconds.
   * @param {string | URL | (() => string | URL)} [options.url] Where the server listens, by default `/ws/broadcast` on
   *   the page's host. Relative to the page; `http` and `https` stand for `ws` and `wss`. A function is asked before
   *   each attempt, for an address that carries a token.
   * @param {number} [options.backoffBase] 500. Before attempt n to reconnect, n counted from 0, the client waits a
   *   random time between nothing and min(backoffMax, backoffBase × 2ⁿ). It starts again at 0 once a connection was up,
   *   or when the browser says that the network is back.
   * @param {number} [options.backoffMax] 20,000.
   * @param {number} [options.maxAttempts] Attempts to reconnect in a row before the client gives up; never by default.
   * @param {number} [options.connectTimeout] 10,000. How long one attempt may take.
   * @param {number} [options.heartbeatInterval] 25,000. The time from one ping to the next.
   * @param {number} [options.heartbeatTimeout] 10,000. Without an answer for so long the connection counts as lost.
   * @param {typeof WebSocket} [options.WebSocket] The constructor of the socket.
   * @param {() => number} [options.random] From 0 up to, not including, 1.
   * @param {(action: () => void, ms: number) => unknown} [options.setTimeout]
   * @param {(timer: unknown) => void} [options.clearTimeout]
   * @param {EventTarget | null} [options.network] Where `online` is heard, by default the window.
   * @param {(error: unknown) => void} [options.reportError] Takes what handlers and listeners throw.
   * @throws {RangeError} If a number is out of range.
   */
  constructor(options = {}) {
    this.#options = { ...defaults(), ...withoutUndefined(options) };
    for (const [name, [least, most]] of Object.entries(RANGES)) {
      const value = this.#options[name];
      if (!(value >= least && value <= most)) throw new RangeError(`${name} must be from ${least} to ${most}.`);
    }
  }

  /**
   * What the connection is doing:
   *
   * - `disconnected`: not wanted; before `connect` and after `disconnect`
   * - `connecting`: the first attempt since `connect` is under way
   * - `connected`
   * - `reconnecting`: the connection was lost or did not come about; the client waits or tries again
   * - `failed`: given up, see {@link failure}
   *
   * @returns {"disconnected" | "connecting" | "connected" | "reconnecting" | "failed"}
   */
  get state() {
    return visibleState(this.#connection);
  }

  /**
   * Why the state is `failed`; null in every other state. `reason` is one of
   *
   * - `report`: the server closed with a code that means that one of the two sides is broken
   * - `await_token`: it wants a new token first
   * - `stay_away`: an operator closed the connection
   * - `attempts_exhausted`: `maxAttempts` attempts in a row came to nothing
   * - `unopenable`: the browser refuses to open such a connection, for instance because of its address
   *
   * @returns {{reason: string, code: number | null, message: string} | null} `code` is the close code, if there was
   *   one.
   */
  get failure() {
    return this.#connection.failure ?? null;
  }

  /**
   * Connects, and from then on keeps the connection up. In the state `reconnecting` it makes the next attempt now; in
   * `failed` and `disconnected` it starts afresh; otherwise it changes nothing. Never throws: what goes wrong shows in
   * {@link state}.
   */
  connect() {
    this.#step({ type: "connect" });
  }

  /**
   * Closes the connection and stays away until {@link connect} is called. Nothing is heard after it returns. The
   * subscriptions stay, and are made again by the next `connect`.
   */
  disconnect() {
    this.#step({ type: "disconnect" });
  }

  /**
   * Hears a channel. The server is told once per channel, however many subscriptions there are; subscriptions that are
   * made or given up in one go share one message.
   *
   * What was fetched before the subscription is in force may have missed a change. `onSubscribed` says when it is: at
   * once if the server holds it already, and again after each reconnect, before `stale`. Fetch there.
   *
   * @param {string} channel
   * @param {(event: {channel: string, event: string, payload: object}) => void} handler Gets each event of the channel.
   *   All handlers get the same object and leave it as it is.
   * @param {object} [options]
   * @param {() => void} [options.onSubscribed] Called, later, each time that the subscription comes into force.
   * @returns {() => void} Ends this subscription. After it returns neither function is called; a second call does
   *   nothing.
   * @throws {TypeError} If `channel` is no channel name or `handler` no function. A channel that the *server* refuses
   *   is reported to {@link onError}, and asked for again on the next connection.
   */
  subscribe(channel, handler, { onSubscribed } = {}) {
    if (!isValidChannel(channel)) {
      throw new TypeError("A channel name is 1 to 255 bytes of UTF-8 without white space and control characters.");
    }
    if (typeof handler !== "function") throw new TypeError("The handler of a subscription must be a function.");
    const subscriber = { handler, onSubscribed };
    this.#subscriptions.add(channel, subscriber);
    if (onSubscribed && this.#subscriptions.isLive(channel)) {
      queueMicrotask(() => this.#tellSubscribed(channel, subscriber));
    }
    this.#planFlush();
    return () => {
      this.#subscriptions.remove(channel, subscriber);
      this.#planFlush();
    };
  }

  /**
   * Hears each change of {@link state}, in order.
   *
   * @param {(state: string, failure: object | null) => void} listener
   * @returns {() => void} Removes the listener.
   */
  onStateChange(listener) {
    return addListener(this.#stateListeners, listener);
  }

  /**
   * Hears what the server refuses: a channel (`forbidden`, `bad_channel`, `too_many_channels`, …), or a whole message.
   * The connection lives on.
   *
   * @param {(error: {code: string, message: string, channel: string | null}) => void} listener
   * @returns {() => void} Removes the listener.
   */
  onError(listener) {
    return addListener(this.#errorListeners, listener);
  }

  // Something happened.

  #step(input) {
    const { state, effects } = step(this.#connection, input, this.#options);
    this.#connection = state;
    for (const effect of effects) this.#perform(effect);
    this.#hearNetwork(this.#connection.phase !== "idle" && this.#connection.phase !== "failed");
    this.#announce();
  }

  #perform(effect) {
    switch (effect.type) {
      case "open":
        return this.#open();
      case "drop":
        return this.#drop(effect.code);
      case "start":
        return this.#startTimer(effect.timer, effect.ms ?? this.#options.random() * effect.upTo);
      case "stop":
        return effect.timer ? this.#stopTimer(effect.timer) : this.#stopTimers();
      case "probe":
        return this.#flush({ probe: true });
    }
  }

  // The socket.

  #open() {
    let socket;
    try {
      const { url, WebSocket } = this.#options;
      socket = new WebSocket(webSocketAddress(typeof url === "function" ? url() : url));
    } catch (error) {
      this.#step({ type: "unopenable", message: String(error?.message ?? error) });
      return;
    }
    this.#socket = socket;
    // A socket that was dropped may still have something to say.
    const whileCurrent = (action) => (event) => {
      if (this.#socket === socket) action(event);
    };
    socket.onopen = whileCurrent(() => {
      this.#subscriptions.reset();
      this.#step({ type: "opened" });
    });
    socket.onmessage = whileCurrent(({ data }) => this.#receive(decodeServerMessage(data)));
    socket.onclose = whileCurrent(({ code, reason }) => {
      this.#socket = null;
      this.#subscriptions.reset();
      this.#step({ type: "closed", code, reason });
    });
  }

  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    this.#subscriptions.reset();
    socket?.close(code);
  }

  #receive(message) {
    switch (message?.type) {
      case "event":
        return this.#deliver(message.channel, message.event, message.payload);
      case "pong":
        return this.#confirm(message.value);
      case "error":
        return this.#refuse(message);
    }
  }

  // What the server is told: once for all that changes in one go, and always with a ping behind it, whose answer shows
  // that the subscriptions are in force.

  #planFlush() {
    if (this.#flushIsPlanned || this.#connection.phase !== "open") return;
    this.#flushIsPlanned = true;
    queueMicrotask(() => {
      this.#flushIsPlanned = false;
      this.#flush({ probe: false });
    });
  }

  #flush({ probe }) {
    const isOpen = this.#connection.phase === "open";
    if (!isOpen || !(probe || this.#subscriptions.isDue)) return;
    const afterGap = this.#connection.resuming && this.#connection.sent === 0;
    const ping = this.#connection.sent + 1;
    const { subscribe, unsubscribe } = this.#subscriptions.due(ping, afterGap);
    // Channels are given up first: within one message the server would subscribe first, and may have no room left.
    const messages = [...channelMessages("unsubscribe", unsubscribe), ...channelMessages("subscribe", subscribe)];
    if (subscribe.length > 0) messages[messages.length - 1].ping = ping;
    else if (probe) messages.push({ ping });
    for (const message of messages) this.#socket.send(JSON.stringify(message));
    if (subscribe.length > 0 || probe) this.#step({ type: "pinged" });
  }

  #confirm(ping) {
    this.#step({ type: "pong", value: ping });
    for (const { channel, afterGap } of this.#subscriptions.confirm(this.#connection.answered)) {
      for (const subscriber of this.#subscriptions.subscribers(channel)) this.#tellSubscribed(channel, subscriber);
      if (afterGap && this.#subscriptions.isLive(channel)) this.#deliver(channel, "stale", { reason: "gap" });
    }
  }

  // Telling the application. Any of its functions may subscribe, unsubscribe or disconnect.

  #deliver(channel, event, payload) {
    const message = { channel, event, payload };
    const socket = this.#socket;
    for (const subscriber of this.#subscriptions.subscribers(channel)) {
      if (this.#socket !== socket) return;
      if (this.#subscriptions.has(channel, subscriber)) this.#call(subscriber.handler, message);
    }
  }

  #tellSubscribed(channel, subscriber) {
    if (!this.#subscriptions.isLive(channel) || !this.#subscriptions.has(channel, subscriber)) return;
    if (subscriber.onSubscribed) this.#call(subscriber.onSubscribed);
  }

  #refuse({ code, message, channel }) {
    if (channel !== null) this.#subscriptions.refuse(channel);
    for (const listener of [...this.#errorListeners]) this.#call(listener, { code, message, channel });
  }

  // A listener that connects or disconnects changes the state while it is being announced. The others hear of the
  // earlier change first.
  #announce() {
    if (this.#isAnnouncing) return;
    this.#isAnnouncing = true;
    while (this.#announced !== this.state) {
      const { state, failure } = this;
      this.#announced = state;
      for (const listener of [...this.#stateListeners]) this.#call(listener, state, failure);
    }
    this.#isAnnouncing = false;
  }

  #call(action, ...values) {
    try {
      action(...values);
    } catch (error) {
      this.#options.reportError(error);
    }
  }

  // Timers and the network.

  #startTimer(name, ms) {
    this.#stopTimer(name);
    const expire = () => {
      this.#timers.delete(name);
      this.#step({ type: `timer:${name}` });
    };
    this.#timers.set(name, this.#options.setTimeout(expire, ms));
  }

  #stopTimer(name) {
    if (!this.#timers.has(name)) return;
    this.#options.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  #stopTimers() {
    for (const name of [...this.#timers.keys()]) this.#stopTimer(name);
  }

  #hearNetwork(wanted) {
    if (wanted === this.#hearsNetwork) return;
    this.#hearsNetwork = wanted;
    if (wanted) this.#options.network?.addEventListener("online", this.#onOnline);
    else this.#options.network?.removeEventListener("online", this.#onOnline);
  }
}

// A browser takes a longer time than this for none at all.
const LONGEST_TIME = 2 ** 31 - 1;

const RANGES = {
  backoffBase: [0, LONGEST_TIME],
  backoffMax: [0, LONGEST_TIME],
  maxAttempts: [0, Infinity],
  connectTimeout: [1, LONGEST_TIME],
  heartbeatInterval: [1, LONGEST_TIME],
  heartbeatTimeout: [1, LONGEST_TIME],
};

function withoutUndefined(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

// The listener is wrapped: the same function may be added twice, and each is removed for itself.
function addListener(listeners, listener) {
  if (typeof listener !== "function") throw new TypeError("A listener must be a function.");
  const entry = (...values) => listener(...values);
  listeners.add(entry);
  return () => void listeners.delete(entry);
}

function webSocketAddress(url) {
  const address = new URL(url, globalThis.location?.href);
  if (address.protocol === "http:") address.protocol = "ws:";
  if (address.protocol === "https:") address.protocol = "wss:";
  address.hash = "";
  return address.href;
}
