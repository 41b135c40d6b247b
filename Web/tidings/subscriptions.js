// Who hears which channel, and what the server has been told about it. No socket in here: `due` says what to send.

/**
 * The subscriptions of a client. Those of the application outlive connections; what the server was told does not.
 *
 * What a connection knows of a channel: nothing (no entry), `asked` (a subscribe is on its way, and the pong with the
 * number `ping` or a later one will show that it is in force), `live`, or `refused`.
 */
export class Subscriptions {
  /** Channel to its subscribers, in the order in which they came: never an empty set. @type {Map<string, Set>} */
  #subscribers = new Map();
  /** @type {Map<string, {status: "asked" | "live" | "refused", ping: number, afterGap: boolean}>} */
  #onServer = new Map();

  /**
   * Adds one subscriber. On a channel that the server refused, it is worth asking again.
   *
   * @param {string} channel
   * @param {object} subscriber
   */
  add(channel, subscriber) {
    const others = this.#subscribers.get(channel);
    if (others) others.add(subscriber);
    else this.#subscribers.set(channel, new Set([subscriber]));
    if (this.#onServer.get(channel)?.status === "refused") this.#onServer.delete(channel);
  }

  /**
   * Removes one subscriber.
   *
   * @param {string} channel
   * @param {object} subscriber
   */
  remove(channel, subscriber) {
    const others = this.#subscribers.get(channel);
    if (others?.delete(subscriber) && others.size === 0) this.#subscribers.delete(channel);
  }

  /**
   * Whether this one has been added and not removed.
   *
   * @param {string} channel
   * @param {object} subscriber
   */
  has(channel, subscriber) {
    return this.#subscribers.get(channel)?.has(subscriber) ?? false;
  }

  /**
   * Those who hear a channel now. A copy: it does not change while they are called.
   *
   * @param {string} channel
   * @returns {object[]}
   */
  subscribers(channel) {
    return [...(this.#subscribers.get(channel) ?? [])];
  }

  /**
   * Whether the server is known to hold the subscription.
   *
   * @param {string} channel
   */
  isLive(channel) {
    return this.#onServer.get(channel)?.status === "live";
  }

  /** A new connection: the server knows of nothing. */
  reset() {
    this.#onServer.clear();
  }

  /** Whether `due` would return anything. */
  get isDue() {
    for (const channel of this.#subscribers.keys()) if (!this.#onServer.has(channel)) return true;
    for (const channel of this.#onServer.keys()) if (!this.#subscribers.has(channel)) return true;
    return false;
  }

  /**
   * What the server does not know yet. It counts as told from now on.
   *
   * @param {number} ping The number of the ping that goes out behind it.
   * @param {boolean} afterGap Whether events on these channels may have been missed.
   * @returns {{subscribe: string[], unsubscribe: string[]}}
   */
  due(ping, afterGap) {
    const subscribe = [...this.#subscribers.keys()].filter((channel) => !this.#onServer.has(channel));
    const left = [...this.#onServer].filter(([channel]) => !this.#subscribers.has(channel));
    const unsubscribe = left.filter(([, { status }]) => status !== "refused").map(([channel]) => channel);
    for (const channel of subscribe) this.#onServer.set(channel, { status: "asked", ping, afterGap });
    for (const [channel] of left) this.#onServer.delete(channel);
    return { subscribe, unsubscribe };
  }

  /**
   * The server refused a channel, or took it away.
   *
   * @param {string} channel
   */
  refuse(channel) {
    const entry = this.#onServer.get(channel);
    if (entry) entry.status = "refused";
  }

  /**
   * The server answered a ping, so it has done all that was sent before it.
   *
   * @param {number} ping
   * @returns {{channel: string, afterGap: boolean}[]} The channels that are live because of it.
   */
  confirm(ping) {
    const confirmed = [];
    for (const [channel, entry] of this.#onServer) {
      if (entry.status !== "asked" || entry.ping > ping) continue;
      entry.status = "live";
      confirmed.push({ channel, afterGap: entry.afterGap });
    }
    return confirmed;
  }
}
