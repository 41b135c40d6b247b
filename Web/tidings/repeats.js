// One event may go to several channels, with one position on all of them. A handler that hears several is called once.

/** As many as a server sends again on one channel. */
const REMEMBERED_POSITIONS = 1_000;

/** Remembers which events were given to handlers that hear several channels: the newest thousand, no more. */
export class Repeats {
  /** Handler to the channels that it hears, and how often. @type {Map<Function, Map<string, number>>} */
  #held = new Map();
  /** Position to the handlers that heard it, and on which channel first. @type {Map<string, Map<Function, string>>} */
  #heard = new Map();

  /** A handler hears a channel, once more. */
  hold(handler, channel) {
    const channels = this.#held.get(handler) ?? new Map();
    channels.set(channel, (channels.get(channel) ?? 0) + 1);
    this.#held.set(handler, channels);
  }

  /** A handler hears a channel once less. */
  release(handler, channel) {
    const channels = this.#held.get(handler);
    const count = channels.get(channel) - 1;
    if (count > 0) channels.set(channel, count);
    else channels.delete(channel);
    if (channels.size > 0) return;
    this.#held.delete(handler);
    // Whoever comes back with the same handler may have forgotten what it heard.
    for (const handlers of this.#heard.values()) handlers.delete(handler);
  }

  /**
   * Whether a handler heard an event on another channel already. If not, it has heard it now.
   *
   * @param {Function} handler
   * @param {string} channel
   * @param {string} position
   */
  isRepeat(handler, channel, position) {
    if (this.#held.get(handler).size < 2) return false;
    let handlers = this.#heard.get(position);
    if (!handlers) {
      this.#heard.set(position, (handlers = new Map()));
      if (this.#heard.size > REMEMBERED_POSITIONS) this.#heard.delete(this.#heard.keys().next().value);
    }
    const first = handlers.get(handler);
    if (first === undefined) handlers.set(handler, channel);
    return first !== undefined && first !== channel;
  }
}
