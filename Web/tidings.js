// The browser's client of a Tidings server: hears on which channels something changed.
//
//   import { BroadcastClient } from "/tidings.js";
//
//   const client = new BroadcastClient();
//   const hear = ({ event, payload }) => (event === "stale" ? refetchAll() : refetch(payload.entity_id));
//   client.subscribe("order", hear, { onSubscribed: ({ recovered }) => recovered || refetchAll() });
//   client.connect();

import { Connection } from "./tidings/connection.js";
import { decodeExtendedMessage } from "./tidings/extended-wire.js";
import { completeOptions } from "./tidings/options.js";
import { Subscriber, Subscriptions } from "./tidings/subscriptions.js";
import { closeAdvice, decodeServerMessage, isValidChannel } from "./tidings/wire.js";

export { closeAdvice, decodeExtendedMessage, decodeServerMessage, isValidChannel };

/**
 * One connection to a Tidings server that comes back by itself, and the subscriptions on it.
 *
 * A subscription outlives the connection: it can be made and given up in every state, and each new connection
 * subscribes again. The events of a channel arrive in the order in which the server numbered them; between channels
 * there is no order.
 *
 * What was missed while there was no connection is delivered first, if the server still knows it. If it does not, the
 * channel gets an event `stale` with the payload `{reason}` as soon as its subscription is in force again: whoever
 * hears `stale` fetches everything that it shows of the channel. A server of the plain dialect never knows. `gap` and
 * `epoch` (the server's log was lost or replaced) are the reasons that the client finds; the server has others.
 *
 * An event that goes to several channels calls a function once that is the handler of several of them.
 *
 * Handlers are called one after the other, never while `subscribe` runs; listeners of the state also from within
 * `connect` and `disconnect`. One that throws does not keep the others from being called; the error goes to the
 * window's `error` event.
 */
export class BroadcastClient {
  #reportError;
  #connection;
  #subscriptions = new Subscriptions();
  #stateListeners = new Set();
  #errorListeners = new Set();
  #announced = "disconnected";
  #isAnnouncing = false;

  /**
   * A client that does nothing yet: {@link connect} starts it.
   *
   * @param {object} [options] All optional. Times are in milliseconds.
   * @param {string | URL | (() => string | URL)} [options.url] Where the server listens, by default `/ws/broadcast` on
   *   the page's host. Relative to the page; `http` and `https` stand for `ws` and `wss`. A function is asked before
   *   each attempt.
   * @param {string | ((reason: string) => string | null | Promise<string | null>)} [options.token] Who the client is: a
   *   JSON Web Token. A function is asked before each attempt, and on a live connection before the token expires; the
   *   reason is `connect`, `refresh`, `expired` (the server closed because of it) or `refused`. Null for nobody. If it
   *   throws, the attempt has failed.
   * @param {string[]} [options.dialects] What is offered to be spoken, the best first, by default `tidings.v1` and
   *   `tidings.plain`. An empty list for servers that know no subprotocols: browsers give up a connection whose offer
   *   is left lying.
   * @param {number} [options.backoffBase] 500. Before attempt n to reconnect, n counted from 0, the client waits a
   *   random time between nothing and min(backoffMax, backoffBase × 2ⁿ). It starts again at 0 once a connection was up,
   *   or when the browser says that the network is back. Also `reconnectDelay` or `reconnectInterval`.
   * @param {number} [options.backoffMax] 20,000. Also `reconnectMaxInterval`.
   * @param {number} [options.maxAttempts] Attempts to reconnect in a row before the client gives up; never by default.
   *   Also `maxReconnectAttempts`; `reconnect: false` is 0.
   * @param {number} [options.connectTimeout] 10,000. How long one attempt may take, with the wait for a token.
   * @param {number} [options.heartbeatInterval] 25,000. The time from one ping to the next, at the most: a server may
   *   ask for more.
   * @param {number} [options.heartbeatTimeout] 10,000. Without an answer for so long the connection counts as lost.
   * @param {boolean | ((text: string, frame: object) => void)} [options.debug] Shows frames in the console, or gives
   *   them to a function, without payloads and tokens.
   * @param {typeof WebSocket} [options.WebSocket] The constructor of the socket.
   * @param {() => number} [options.random] From 0 up to, not including, 1.
   * @param {() => number} [options.now] Milliseconds since 1970.
   * @param {(action: () => void, ms: number) => unknown} [options.setTimeout]
   * @param {(timer: unknown) => void} [options.clearTimeout]
   * @param {EventTarget | null} [options.network] Where `online` is heard, by default the window.
   * @param {(error: unknown) => void} [options.reportError] Takes what handlers, listeners and `token` throw.
   * @throws {RangeError} If a number is out of range or a dialect unknown.
   * @throws {TypeError} If the token can never be sent.
   */
  constructor(options = {}) {
    const complete = completeOptions(options);
    this.#reportError = complete.reportError;
    this.#connection = new Connection(complete, this.#subscriptions, {
      changed: () => this.#announce(),
      deliver: (event) => this.#deliver(event),
      putInForce: (tellings, generation) => this.#putInForce(tellings, generation),
      report: (error) => this.#report(error),
    });
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
    return this.#connection.state;
  }

  /**
   * Why the state is `failed`; null in every other state. `reason` is one of
   *
   * - `report`: the server closed with a code that means that one of the two sides is broken
   * - `await_token`: it wants another token first; see {@link refreshToken}
   * - `stay_away`: an operator closed the connection
   * - `attempts_exhausted`: `maxAttempts` attempts in a row came to nothing
   * - `unopenable`: the browser refuses to open such a connection, for instance because of its address
   *
   * @returns {{reason: string, code: number | null, message: string} | null} `code` is the close code, if there was
   *   one.
   */
  get failure() {
    return this.#connection.failure;
  }

  /**
   * Connects, and from then on keeps the connection up. In the state `reconnecting` it makes the next attempt now; in
   * `failed` and `disconnected` it starts afresh; otherwise it changes nothing. A token that the server has refused is
   * not tried again before a {@link disconnect}. Never throws: what goes wrong shows in {@link state}.
   */
  connect() {
    this.#connection.connect();
  }

  /**
   * Closes the connection and stays away until {@link connect} is called. Nothing is heard after it returns. The
   * subscriptions stay, and are made again by the next `connect`.
   */
  disconnect() {
    this.#connection.disconnect();
  }

  /**
   * Asks for the `token` again and hands it over: on a live connection with a message, and with a new attempt where the
   * server had refused the old one. For an application that knows of another token before the client asks.
   */
  refreshToken() {
    this.#connection.refreshToken();
  }

  /**
   * Hears a channel. The server is told once per channel, however many subscriptions there are; subscriptions that are
   * made or given up in one go share one message.
   *
   * What was fetched before the subscription is in force may have missed a change. There are two ways to be sure:
   *
   * - `since`: the `Tidings-Position` of what was fetched. What happened after it is delivered, or the channel is
   *   `stale`. Null, as from a missing header, is none.
   * - `onSubscribed`: says when the subscription is in force: at once if the server holds it already, and again after
   *   each reconnect, before what was missed and before `stale`. Fetch there, unless `recovered` says that nothing is
   *   missing.
   *
   * @param {string} channel
   * @param {(event: {channel: string, event: string, payload: object, position?: string, spread_ms?: number}) => void}
   *   handler Gets each event of the channel. All handlers get the same object and leave it as it is. With `spread_ms`,
   *   so many clients hear the event that each should wait for a random part of that time before it fetches.
   * @param {object} [options]
   * @param {string | null} [options.since]
   * @param {(status: {channel: string, recovered: boolean}) => void} [options.onSubscribed] Called, later, each time
   *   that the subscription comes into force.
   * @returns {() => void} Ends this subscription. After it returns neither function is called; a second call does
   *   nothing.
   * @throws {TypeError} If `channel` is no channel name, `handler` no function or `since` no text. A channel that the
   *   *server* refuses is reported to {@link onError}. It is asked for again on the next connection, with the next
   *   token if this one does not open it, and after a pause if the server was too busy.
   */
  subscribe(channel, handler, { since = null, onSubscribed } = {}) {
    if (!isValidChannel(channel)) {
      throw new TypeError("A channel name is 1 to 255 bytes of UTF-8 without white space and control characters.");
    }
    if (typeof handler !== "function") throw new TypeError("The handler of a subscription must be a function.");
    if (since !== null && typeof since !== "string") throw new TypeError("The position to resume from must be a text.");
    const subscriber = new Subscriber(channel, handler, { since, onSubscribed });
    this.#subscriptions.add(subscriber);
    if (this.#subscriptions.isLive(channel)) this.#join(subscriber);
    this.#connection.planFlush();
    return () => {
      this.#subscriptions.remove(subscriber);
      this.#connection.planFlush();
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

  // Telling the application. Any of its functions may subscribe, unsubscribe or disconnect.

  #deliver({ channel, event: name, payload, position = null, spread_ms: spread = null }) {
    const event = { channel, event: name, payload };
    if (position !== null) event.position = position;
    if (spread !== null) event.spread_ms = spread;
    const { generation } = this.#connection;
    for (const subscriber of this.#subscriptions.subscribers(channel)) {
      if (this.#connection.generation !== generation) return;
      if (this.#subscriptions.take(subscriber, event)) this.#call(subscriber.handler, event);
    }
  }

  // What it has missed is decided at once, and told later: events may come in between.
  #join(subscriber) {
    const telling = this.#subscriptions.join(subscriber);
    const { generation } = this.#connection;
    queueMicrotask(() => this.#putInForce([telling], generation));
  }

  #putInForce(tellings, generation) {
    const isCurrent = () => this.#connection.generation === generation;
    for (const telling of tellings) {
      const { handler, onSubscribed } = telling.subscriber;
      if (isCurrent() && this.#subscriptions.tell(telling) && onSubscribed) this.#call(onSubscribed, telling.status);
      if (isCurrent() && this.#subscriptions.tellStale(telling)) this.#call(handler, telling.stale);
      if (isCurrent() && this.#subscriptions.tellNewest(telling)) this.#call(handler, telling.newest);
    }
  }

  #report(error) {
    for (const listener of [...this.#errorListeners]) this.#call(listener, { ...error });
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
      this.#reportError(error);
    }
  }
}

// The listener is wrapped: the same function may be added twice, and each is removed for itself.
function addListener(listeners, listener) {
  if (typeof listener !== "function") throw new TypeError("A listener must be a function.");
  const entry = (...values) => listener(...values);
  listeners.add(entry);
  return () => void listeners.delete(entry);
}
