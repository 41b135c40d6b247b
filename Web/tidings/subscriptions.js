// Who hears which channel and up to where, and what the server has been told about it. No socket in here: `due` says
// what to send.

import { isKnown, parsePosition } from "./position.js";
import { Repeats } from "./repeats.js";

/**
 * @typedef {object} Telling What a subscriber is to be told when its subscription comes into force.
 * @property {Subscriber} subscriber
 * @property {{channel: string, recovered: boolean}} status
 * @property {object | null} position From where it hears everything.
 * @property {object | null} stale The event, if it may have missed something.
 * @property {object | null} newest What a feed told last, if it has heard nothing.
 */

/**
 * One use of a channel.
 *
 * `position` is up to where it knows the channel; null if that is not known. `follows` says that it relies on hearing
 * everything: because it began at a position, or has been told that the subscription is in force. When something may be
 * missing, it is told `stale`.
 */
export class Subscriber {
  /**
   * @param {string} channel
   * @param {(event: object) => void} handler
   * @param {object} [options]
   * @param {string | null} [options.since] Up to where the caller knows the channel. What is no position cannot be
   *   resumed from.
   * @param {(status: object) => void} [options.onSubscribed]
   */
  constructor(channel, handler, { since = null, onSubscribed } = {}) {
    this.channel = channel;
    this.handler = handler;
    this.onSubscribed = onSubscribed;
    this.position = parsePosition(since);
    this.follows = since !== null;
    this.hasHeard = false;
  }
}

/**
 * The subscriptions of a client. Those of the application outlive connections, with their positions; what the server
 * was told does not.
 *
 * A channel is `due` (to be asked for), `asked` (for in the request with the number `request`), `live`, `refused`, or
 * `limited` (refused for coming too fast, and asked for again after a pause).
 */
export class Subscriptions {
  /**
   * @type {Map<string, {subscribers: Set<Subscriber>, status: string, request: number, since: object | null,
   *   afterGap: boolean, isDoubtful: boolean, code: string | null, handedOver: object | null, told?: object}>}
   */
  #channels = new Map();
  /** Unsubscribes without an answer, by request. @type {Map<number, {channels: string[], isDoubtful: boolean}>} */
  #leaving = new Map();
  #repeats = new Repeats();

  /**
   * Adds one subscriber. On a channel that the server refused, it is worth asking again.
   *
   * @param {Subscriber} subscriber
   */
  add(subscriber) {
    const { channel, handler } = subscriber;
    let entry = this.#channels.get(channel);
    if (!entry) this.#channels.set(channel, (entry = { subscribers: new Set(), ...UNKNOWN }));
    entry.subscribers.add(subscriber);
    if (entry.status === "refused") Object.assign(entry, UNKNOWN);
    this.#repeats.hold(handler, channel);
  }

  /**
   * Removes one subscriber.
   *
   * @param {Subscriber} subscriber
   */
  remove(subscriber) {
    const { channel, handler } = subscriber;
    const entry = this.#channels.get(channel);
    if (!entry?.subscribers.delete(subscriber)) return;
    this.#repeats.release(handler, channel);
    if (isOnServer(entry)) entry.handedOver = newest([subscriber, { position: entry.handedOver }]);
    else this.#forgetUnused(channel, entry);
  }

  /**
   * Whether this one has been added and not removed.
   *
   * @param {Subscriber} subscriber
   */
  has(subscriber) {
    return this.#channels.get(subscriber.channel)?.subscribers.has(subscriber) ?? false;
  }

  /**
   * Those who hear a channel now. A copy: it does not change while they are called.
   *
   * @param {string} channel
   * @returns {Subscriber[]}
   */
  subscribers(channel) {
    return [...(this.#channels.get(channel)?.subscribers ?? [])];
  }

  /**
   * Whether the server is known to hold the subscription.
   *
   * @param {string} channel
   */
  isLive(channel) {
    return this.#channels.get(channel)?.status === "live";
  }

  /**
   * A new connection: the server knows of nothing.
   *
   * @param {object} [options]
   * @param {boolean} [options.keepsPositions] False for a server that does not tell any: those from before would grow
   *   old.
   */
  reset({ keepsPositions = true } = {}) {
    this.#leaving.clear();
    for (const [channel, entry] of this.#channels) {
      Object.assign(entry, UNKNOWN);
      if (!keepsPositions) for (const subscriber of entry.subscribers) subscriber.position = null;
      this.#forgetUnused(channel, entry);
    }
  }

  // What to say.

  /**
   * What the server does not know yet.
   *
   * @returns {{subscribe: string[], unsubscribe: string[]}}
   */
  due() {
    const subscribe = [];
    const unsubscribe = [];
    for (const [channel, entry] of this.#channels) {
      if (entry.subscribers.size === 0) unsubscribe.push(channel);
      else if (entry.status === "due") subscribe.push(channel);
    }
    return { subscribe, unsubscribe };
  }

  /**
   * From where a channel is to be resumed: the position of the subscriber that knows least of those who know anything.
   *
   * @param {string} channel
   * @returns {string | null}
   */
  since(channel) {
    return oldest(this.#channels.get(channel)?.subscribers ?? [])?.text ?? null;
  }

  /**
   * A subscribe was sent.
   *
   * @param {string[]} channels
   * @param {number} request The number whose answer shows that it is in force.
   * @param {object} [options]
   * @param {boolean} [options.afterGap] Whether events on these channels may have been missed.
   * @param {boolean} [options.resumes] Whether it said {@link since}.
   */
  asked(channels, request, { afterGap = false, resumes = false } = {}) {
    for (const channel of channels) {
      const entry = this.#channels.get(channel);
      const since = resumes ? oldest(entry.subscribers) : null;
      Object.assign(entry, { ...UNKNOWN, status: "asked", request, afterGap, since });
    }
  }

  /**
   * An unsubscribe was sent.
   *
   * @param {string[]} channels
   * @param {number | null} [request] Null if it will have no answer.
   */
  left(channels, request = null) {
    for (const channel of channels) this.#channels.delete(channel);
    if (request !== null && channels.length > 0) this.#leaving.set(request, { channels, isDoubtful: false });
  }

  // What the server answered.

  /**
   * The server did a request, or at least not ignore it.
   *
   * @param {number} request
   */
  answered(request) {
    this.#leaving.delete(request);
  }

  /**
   * A server that answers in order has done all that it was asked up to a number.
   *
   * @param {number} request
   * @returns {Telling[]}
   */
  confirmUpTo(request) {
    const asked = [...this.#channels].filter(([, entry]) => entry.status === "asked" && entry.request <= request);
    return asked.filter(([, { isDoubtful }]) => !isDoubtful).flatMap(([, entry]) => putInForce(entry, NOTHING_KNOWN));
  }

  /**
   * The server granted a channel.
   *
   * @param {object} granted
   * @param {string} granted.channel
   * @param {string | null} granted.position
   * @param {boolean} granted.recovered
   * @param {number | null} granted.spread_ms
   * @param {number} request
   * @returns {Telling[]} What each subscriber is to be told. Nothing for a request that does not count any more.
   */
  confirm({ channel, position, recovered, spread_ms: spread }, request) {
    const entry = this.#channels.get(channel);
    if (entry?.status !== "asked" || entry.request !== request) return [];
    return putInForce(entry, { position: parsePosition(position), recovered, spread });
  }

  /**
   * What a subscriber is to be told that came to a channel that is live already.
   *
   * @param {Subscriber} subscriber
   * @returns {Telling}
   */
  join(subscriber) {
    const { subscribers, handedOver, told = null } = this.#channels.get(subscriber.channel);
    // The channel is known up to where the one is that heard most of it, also if it has just left.
    const others = [...subscribers].filter((other) => other !== subscriber);
    const head = newest([...others, { position: handedOver }]);
    const isCovered = isKnown(subscriber.position, head);
    const isStale = subscriber.follows && !isCovered;
    return makeTelling(subscriber, { position: head, isCovered, isStale, spread: null, told });
  }

  /**
   * A subscriber is about to be told that its subscription is in force. One that is never told has missed as much after
   * the next reconnect as it has now.
   *
   * @param {Telling} telling
   * @returns {boolean} False if it must not be told: the subscription has ended.
   */
  tell({ subscriber, position, stale }) {
    if (!this.has(subscriber)) return false;
    subscriber.follows = true;
    if (stale === null) subscriber.position ??= position;
    return true;
  }

  /**
   * A subscriber is about to be told that it may have missed something. What it fetches from now on is newer.
   *
   * @param {Telling} telling
   * @returns {boolean} False if it must not be told.
   */
  tellStale({ subscriber, position, stale }) {
    if (stale === null || !this.has(subscriber)) return false;
    if (position === null || !isKnown(subscriber.position, position)) subscriber.position = position;
    return true;
  }

  /**
   * A subscriber is about to be told what a feed told last.
   *
   * @param {Telling} telling
   * @returns {boolean} False if it must not be told: there is nothing, it has heard something newer, or the subscription
   *   has ended.
   */
  tellNewest({ subscriber, newest }) {
    if (newest === null || subscriber.hasHeard || !this.has(subscriber)) return false;
    subscriber.hasHeard = true;
    return true;
  }

  /**
   * The server refused a channel, or took it away.
   *
   * @param {string} channel
   * @param {string} code
   * @param {number | null} [request] What was refused; null if the server does not say.
   */
  refuse(channel, code, request = null) {
    const entry = this.#channels.get(channel);
    if (!entry || !isOnServer(entry) || (request !== null && entry.request !== request)) return;
    this.#refuse(channel, entry, code);
  }

  /**
   * The server did nothing of a request.
   *
   * @param {number} request
   * @param {string} code
   */
  refuseRequest(request, code) {
    if (code === "rate_limited") this.#doubt(this.#leaving.get(request));
    else this.answered(request);
    for (const [channel, entry] of this.#channels) {
      if (entry.status === "asked" && entry.request === request) this.#refuse(channel, entry, code);
    }
  }

  #refuse(channel, entry, code) {
    Object.assign(entry, { ...UNKNOWN, status: code === "rate_limited" ? "limited" : "refused", code });
    this.#forgetUnused(channel, entry);
  }

  /** The server said that it ignores what comes too fast, and not what that was. */
  doubt() {
    for (const entry of this.#channels.values()) if (entry.status === "asked") this.#doubt(entry);
    for (const entry of this.#leaving.values()) this.#doubt(entry);
  }

  #doubt(entry) {
    if (entry) entry.isDoubtful = true;
  }

  /** After a pause: what the server was too busy for is due again, and so is what it may have ignored. */
  askAgain() {
    for (const entry of this.#channels.values()) {
      if (entry.status === "limited" || (entry.status === "asked" && entry.isDoubtful)) Object.assign(entry, UNKNOWN);
    }
    for (const [request, { channels, isDoubtful }] of this.#leaving) {
      if (!isDoubtful) continue;
      this.#leaving.delete(request);
      for (const channel of channels) this.#holdForNobody(channel);
    }
  }

  // The server still has a channel that nobody hears any more.
  #holdForNobody(channel) {
    if (this.#channels.has(channel)) return;
    this.#channels.set(channel, { subscribers: new Set(), ...UNKNOWN, status: "live" });
  }

  /**
   * What was refused for these reasons is due again.
   *
   * @param {string[]} codes
   */
  retryRefused(codes) {
    for (const entry of this.#channels.values()) {
      if (entry.status === "refused" && codes.includes(entry.code)) Object.assign(entry, UNKNOWN);
    }
  }

  // Events.

  /**
   * An event is about to be given to one subscriber. From now on it counts as heard.
   *
   * @param {Subscriber} subscriber
   * @param {{channel: string, event: string, position?: string}} event
   * @returns {boolean} False if it must not be given: the subscription has ended, or the event was heard before, on
   *   this channel or by the same handler on another one.
   */
  take(subscriber, event) {
    const entry = this.#channels.get(subscriber.channel);
    if (!entry?.subscribers.has(subscriber)) return false;
    const position = parsePosition(event.position);
    const isStale = event.event === "stale";
    if (position === null) {
      keep(entry, subscriber, event);
      return true;
    }
    // Sent before the request was read: what follows its answer begins at the position that was asked from.
    if (entry.status === "asked" && entry.since !== null) return isStale;
    if (isKnown(subscriber.position, position)) return isStale;
    subscriber.position = position;
    keep(entry, subscriber, event);
    return isStale || !this.#repeats.isRepeat(subscriber.handler, subscriber.channel, position.text);
  }

  #forgetUnused(channel, entry) {
    if (entry.subscribers.size === 0) this.#channels.delete(channel);
  }
}

const UNKNOWN = Object.freeze({
  status: "due",
  request: 0,
  since: null,
  afterGap: false,
  isDoubtful: false,
  code: null,
  handedOver: null,
});

const NOTHING_KNOWN = Object.freeze({ position: null, recovered: false, spread: null });

// Of a feed only the newest counts, and who comes later has to have it too.
function keep(entry, subscriber, event) {
  if (event.event === "stale" || !event.channel.startsWith("feed:")) return;
  entry.told = event;
  subscriber.hasHeard = true;
}

const isOnServer = ({ status }) => status === "asked" || status === "live";

// Positions of another epoch than the first one's do not count: only one can be asked from.
function oldest(subscribers) {
  return extreme(subscribers, (position, found) => isKnown(found, position));
}

function newest(subscribers) {
  return extreme(subscribers, (position, found) => isKnown(position, found));
}

function extreme(subscribers, isBetter) {
  let found = null;
  for (const { position } of subscribers) {
    if (position !== null && (found === null || isBetter(position, found))) found = position;
  }
  return found;
}

function putInForce(entry, { position, recovered, spread }) {
  const { since, afterGap, told = null } = entry;
  entry.status = "live";
  return [...entry.subscribers].map((subscriber) => {
    // Asked from `since` on behalf of the one that knew least. Others may have come before the answer: they may know
    // less, or all that there is when nobody had anything to resume from.
    const isCovered =
      since === null ? isKnown(subscriber.position, position) : recovered && isKnown(subscriber.position, since);
    const isStale = (subscriber.follows && !isCovered) || afterGap;
    return makeTelling(subscriber, { position, isCovered, isStale, spread, told });
  });
}

function makeTelling(subscriber, { position, isCovered, isStale, spread, told }) {
  const { channel, position: known } = subscriber;
  const status = { channel, recovered: isCovered };
  const newest = isCovered ? null : told;
  if (!isStale) return { subscriber, status, position, stale: null, newest };
  const isOtherLog = known !== null && position !== null && known.epoch !== position.epoch;
  const stale = { channel, event: "stale", payload: { reason: isOtherLog ? "epoch" : "gap" } };
  if (position !== null) stale.position = position.text;
  if (spread !== null) stale.spread_ms = spread;
  return { subscriber, status, position, stale, newest };
}
