// The connection to a server: a socket, and who the client is on it. What follows from what happens is said by
// `connection-state.js`; here it is done.

import { idle, step, visibleState } from "./connection-state.js";
import { describeReceived, describeSent } from "./debug.js";
import { decodeExtendedMessage } from "./extended-wire.js";
import { expiryOf, refreshDelay, TokenSource } from "./identity.js";
import { webSocketAddress } from "./options.js";
import { Timers } from "./timers.js";
import { channelMessages, decodeServerMessage } from "./wire.js";

const EXTENDED = "tidings.v1";

/** The most requests without an answer. What is due beyond that waits, so a client never floods its server. */
const MOST_AWAITED = 16;

/** What `readyState` says of a socket that is being opened. */
const CONNECTING = 0;

/** The close code of a connection that ended without one (RFC 6455 §7.1.5). */
const LOST = 1006;
const TOKEN_EXPIRED = 4003;
const NOT_AUTHENTICATED = 4500;

/**
 * @typedef {object} Owner What the owner of a connection is called for. Each of these may call any of its methods.
 * @property {() => void} changed The state may have changed.
 * @property {(event: object) => void} deliver An event came.
 * @property {(tellings: object[], generation: number) => void} putInForce Subscriptions are in force, if the generation
 *   still is that of the connection.
 * @property {(error: object) => void} report The server refused something.
 */

/** Keeps a connection, tells the server of the subscriptions, and its owner of what the server says. */
export class Connection {
  #options;
  #subscriptions;
  #owner;
  #state = idle;
  #tokens;
  #timers;
  #socket = null;
  #generation = 0;
  #isExtended = false;
  #tokenReason = "connect";
  /** When the token in use expires, in milliseconds since 1970; null if that is not known. */
  #expiresAt = null;
  /** The request with a fresh token that has no answer yet. @type {{id: number, expiresAt: number | null} | null} */
  #authRequest = null;
  #flushIsPlanned = false;
  #hearsNetwork = false;
  #onOnline = () => this.#step({ type: "online" });

  /**
   * @param {object} options As from `completeOptions`.
   * @param {import("./subscriptions.js").Subscriptions} subscriptions
   * @param {Owner} owner
   */
  constructor(options, subscriptions, owner) {
    this.#tokens = new TokenSource(options.token);
    this.#options = { ...options, hasFreshTokens: this.#tokens.isFunction };
    this.#subscriptions = subscriptions;
    this.#owner = owner;
    this.#timers = new Timers(options, (name) => this.#step({ type: `timer:${name}` }));
  }

  /** What an application sees of the state. */
  get state() {
    return visibleState(this.#state);
  }

  /** Why the client has given up; null if it has not. */
  get failure() {
    return this.#state.failure ?? null;
  }

  /** Counts attempts and their ends: what was meant for an earlier one is of no interest. */
  get generation() {
    return this.#generation;
  }

  /** A connection is wanted. */
  connect() {
    this.#step({ type: "connect" });
  }

  /** None is wanted. */
  disconnect() {
    this.#tokens.reset();
    this.#tokenReason = "connect";
    this.#step({ type: "disconnect" });
  }

  /** The application may have another token. */
  refreshToken() {
    if (this.#state.phase === "open") this.#renew();
    else if (this.failure?.reason === "await_token") this.connect();
  }

  /** Subscriptions have changed: the server is told at the end of this turn of the event loop, if there is one. */
  planFlush() {
    if (this.#flushIsPlanned || this.#state.phase !== "open") return;
    this.#flushIsPlanned = true;
    queueMicrotask(() => {
      this.#flushIsPlanned = false;
      this.#flush({ probe: false });
    });
  }

  // Something happened.

  #step(input) {
    const { state, effects } = step(this.#state, input, this.#options);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    this.#hearNetwork(this.#state.phase !== "idle" && this.#state.phase !== "failed");
    this.#owner.changed();
  }

  #perform(effect) {
    switch (effect.type) {
      case "open":
        return this.#open();
      case "drop":
        return this.#drop(effect.code);
      case "start":
        return this.#timers.start(effect.timer, (effect.ms ?? 0) + this.#options.random() * (effect.upTo ?? 0));
      case "stop":
        return effect.timer ? this.#timers.stop(effect.timer) : this.#timers.stopAll();
      case "ask_again":
        this.#subscriptions.askAgain();
        return this.#flush({ probe: true });
      case "probe":
        return this.#flush({ probe: true });
      case "renew":
        return this.#renew();
    }
  }

  // The socket.

  #open() {
    this.#generation += 1;
    this.#withToken(this.#tokenReason, {
      use: (token) => {
        if (this.#tokens.isRefused(token)) this.#step({ type: "same_token" });
        else this.#openSocket(token);
      },
      fail: () => this.#step({ type: "tokenless", message: "The application had no token." }),
    });
  }

  #openSocket(token) {
    this.#tokens.current = token;
    let socket;
    try {
      const { url, WebSocket } = this.#options;
      const address = webSocketAddress(typeof url === "function" ? url() : url);
      const protocols = this.#protocols(token);
      socket = protocols.length > 0 ? new WebSocket(address, protocols) : new WebSocket(address);
    } catch (error) {
      // What the browser says would have the address in it, and perhaps a token in that.
      const message = `The browser does not open such a connection (${error?.name ?? "error"}). Look at its address.`;
      this.#step({ type: "unopenable", message });
      return;
    }
    this.#socket = socket;
    // A socket that was dropped may still have something to say.
    const whileCurrent = (action) => (event) => {
      if (this.#socket === socket) action(event);
    };
    socket.onopen = whileCurrent(() => this.#opened(socket.protocol ?? ""));
    socket.onmessage = whileCurrent(({ data }) => this.#receive(data));
    socket.onclose = whileCurrent((event) => this.#closed(event));
    // A socket that failed is closed by then, and says so next. Some runtimes outside of browsers leave it at this.
    socket.onerror = whileCurrent(() => {
      if (socket.readyState === CONNECTING) this.#closed({ code: LOST, reason: "" });
    });
  }

  #protocols(token) {
    const { dialects } = this.#options;
    return dialects.length > 0 && token !== null ? [...dialects, `bearer.${token}`] : dialects;
  }

  #opened(protocol) {
    const token = this.#tokens.current;
    this.#isExtended = protocol === EXTENDED;
    this.#tokenReason = "connect";
    this.#log("opened", { protocol });
    this.#subscriptions.reset({ keepsPositions: this.#isExtended });
    // A server that chose nothing may not have looked at the list in which the token is.
    if (token !== null && protocol === "") this.#send({ auth: token });
    this.#step({ type: "opened" });
    this.#expireAt(token === null ? null : expiryOf(token));
  }

  #closed({ code, reason }) {
    this.#log("closed", { code });
    this.#forgetSocket();
    if (code === TOKEN_EXPIRED) this.#tokenReason = "expired";
    if (code === NOT_AUTHENTICATED) {
      this.#tokenReason = "refused";
      if (this.#tokens.isFunction || this.#tokens.current !== null) this.#tokens.refuse();
    }
    this.#step({ type: "closed", code, reason });
  }

  #drop(code) {
    const socket = this.#socket;
    this.#forgetSocket();
    socket?.close(code);
  }

  #forgetSocket() {
    this.#generation += 1;
    this.#socket = null;
    this.#expiresAt = null;
    this.#authRequest = null;
    this.#tokens.abandon();
    this.#subscriptions.reset();
  }

  #send(message) {
    this.#log("sent", describeSent(message));
    this.#socket.send(JSON.stringify(message));
  }

  // Who the client is.

  #withToken(reason, { use, fail }) {
    const { generation } = this;
    const whileCurrent = (action) => (value) => {
      if (this.generation === generation) action(value);
    };
    const failed = (error) => {
      this.#options.reportError(error);
      fail();
    };
    let token;
    try {
      token = this.#tokens.ask(reason);
    } catch (error) {
      return failed(error);
    }
    if (typeof token?.then === "function") token.then(whileCurrent(use), whileCurrent(failed));
    else use(token);
  }

  #renew() {
    this.#withToken("refresh", {
      use: (token) => {
        const isFull = this.#state.awaited.length >= MOST_AWAITED;
        if (token === null || token === this.#tokens.current || isFull) this.#planRefresh();
        else this.#authenticate(token);
      },
      fail: () => this.#planRefresh(),
    });
  }

  #authenticate(token) {
    this.#tokens.current = token;
    const expiresAt = expiryOf(token);
    if (this.#isExtended) {
      const id = this.#state.sent + 1;
      this.#authRequest = { id, expiresAt };
      this.#send({ id, auth: token });
      this.#step({ type: "asked", upTo: id });
    } else {
      // There is no answer. What comes after it is done in its name.
      this.#send({ auth: token });
      this.#authenticated(expiresAt);
    }
  }

  #authenticated(expiresAt) {
    this.#expireAt(expiresAt);
    this.#subscriptions.retryRefused(["unauthenticated", "forbidden"]);
    this.planFlush();
  }

  #expireAt(moment) {
    this.#expiresAt = moment;
    this.#planRefresh();
  }

  #planRefresh() {
    if (this.#expiresAt === null || !this.#tokens.isFunction) return;
    const ms = refreshDelay(this.#expiresAt - this.#options.now());
    if (ms !== null) this.#step({ type: "expiry", ms });
  }

  // What the server is told: once for all that changes in one go. The answer to a request, or in the plain dialect to
  // the ping behind it, shows that the subscriptions are in force.

  #flush({ probe }) {
    if (this.#state.phase !== "open") return;
    // An answer makes room, and the end of a pause comes back here too.
    const room = this.#state.pausing ? 0 : MOST_AWAITED - this.#state.awaited.length;
    const messages = room > 0 ? this.#dueMessages().slice(0, room) : [];
    if (messages.length === 0 && !probe) return;
    if (this.#isExtended) this.#sendRequests(messages);
    else this.#sendWithPing(messages, probe);
  }

  // Channels are given up first: within one message the server would subscribe first, and may have no room left.
  #dueMessages() {
    const { subscribe, unsubscribe } = this.#subscriptions.due();
    const since = (channel) => (this.#isExtended ? this.#subscriptions.since(channel) : null);
    return [...channelMessages("unsubscribe", unsubscribe), ...channelMessages("subscribe", subscribe, { since })];
  }

  #sendRequests(messages) {
    let id = this.#state.sent;
    if (messages.length === 0) messages.push({ ping: id + 1 });
    for (const message of messages) {
      id += 1;
      this.#subscriptions.asked(message.subscribe ?? [], id, { resumes: true });
      this.#subscriptions.left(message.unsubscribe ?? [], id);
      this.#send({ id, ...message });
    }
    this.#step({ type: "asked", upTo: id });
  }

  #sendWithPing(messages, probe) {
    const afterGap = this.#state.resuming && this.#state.sent === 0;
    const ping = this.#state.sent + 1;
    const subscribes = messages.at(-1)?.subscribe !== undefined;
    if (subscribes) messages.at(-1).ping = ping;
    else if (probe) messages.push({ ping });
    for (const message of messages) {
      this.#subscriptions.asked(message.subscribe ?? [], ping, { afterGap });
      this.#subscriptions.left(message.unsubscribe ?? []);
      this.#send(message);
    }
    if (subscribes || probe) this.#step({ type: "asked", upTo: ping });
  }

  // What the server says.

  #receive(data) {
    const message = this.#isExtended ? decodeExtendedMessage(data) : decodeServerMessage(data);
    this.#log("received", describeReceived(message));
    switch (message?.type) {
      case "event":
        return this.#owner.deliver(message);
      case "pong":
        return this.#takePong(message);
      case "reply":
        return this.#takeReply(message);
      case "error":
        return this.#takeError(message);
      case "welcome":
        this.#step({ type: "welcome", heartbeat: message.heartbeat_ms });
        return this.#expireAt(momentOf(message.authenticated) ?? this.#expiresAt);
      case "draining":
        return this.#step({ type: "draining", within: message.reconnect_within_ms });
    }
  }

  #takePong({ value }) {
    if (!this.#state.awaited.includes(value)) return;
    const { generation } = this;
    this.#step({ type: "answered", value, cumulative: true });
    this.#owner.putInForce(this.#subscriptions.confirmUpTo(value), generation);
    this.planFlush();
  }

  // A pause begins before the answer counts: one that grants nothing does not make the next pause shorter.
  #takeReply({ id, subscribed, refused, authenticated }) {
    const { generation } = this;
    if (refused.some(({ code }) => code === "rate_limited")) this.#step({ type: "limited" });
    this.#step({ type: "answered", value: id, cumulative: false });
    this.#subscriptions.answered(id);
    for (const { channel, code } of refused) this.#subscriptions.refuse(channel, code, id);
    const tellings = subscribed.flatMap((granted) => this.#subscriptions.confirm(granted, id));
    // Before anything is told: a listener may end the connection, and its token with it.
    if (authenticated) this.#authenticated(momentOf(authenticated) ?? this.#authRequest?.expiresAt ?? null);
    for (const error of refused) this.#owner.report(error);
    this.#owner.putInForce(tellings, generation);
    this.planFlush();
  }

  #takeError({ id = null, code, message, channel }) {
    if (code === "rate_limited") {
      if (id === null && channel === null) this.#subscriptions.doubt();
      this.#step({ type: "limited" });
    }
    if (id !== null) {
      this.#step({ type: "answered", value: id, cumulative: false });
      this.#subscriptions.refuseRequest(id, code);
      if (id === this.#authRequest?.id) this.#planRefresh();
    }
    if (channel !== null) this.#subscriptions.refuse(channel, code);
    this.#owner.report({ code, message, channel });
    this.planFlush();
  }

  #log(text, frame) {
    const { debug } = this.#options;
    if (!debug) return;
    try {
      if (typeof debug === "function") debug(text, frame);
      else console.debug("tidings", text, frame);
    } catch (error) {
      this.#options.reportError(error);
    }
  }

  #hearNetwork(wanted) {
    if (wanted === this.#hearsNetwork) return;
    this.#hearsNetwork = wanted;
    if (wanted) this.#options.network?.addEventListener("online", this.#onOnline);
    else this.#options.network?.removeEventListener("online", this.#onOnline);
  }
}

/** When a token expires that the server has looked at, in milliseconds since 1970; null if that is not known. */
function momentOf(authenticated) {
  return authenticated?.expires_at ? Date.parse(authenticated.expires_at) : null;
}
