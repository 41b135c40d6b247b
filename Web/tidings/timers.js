/** Timers by name: each runs at most once at a time. */
export class Timers {
  #running = new Map();
  #setTimeout;
  #clearTimeout;
  #expired;

  /**
   * @param {object} options
   * @param {(action: () => void, ms: number) => unknown} options.setTimeout
   * @param {(timer: unknown) => void} options.clearTimeout
   * @param {(name: string) => void} expired Told when one has run out.
   */
  constructor({ setTimeout, clearTimeout }, expired) {
    this.#setTimeout = setTimeout;
    this.#clearTimeout = clearTimeout;
    this.#expired = expired;
  }

  /** Starts a timer, in place of the one with this name. */
  start(name, ms) {
    this.stop(name);
    const expire = () => {
      this.#running.delete(name);
      this.#expired(name);
    };
    this.#running.set(name, this.#setTimeout(expire, ms));
  }

  /** Stops a timer, if it runs. */
  stop(name) {
    if (!this.#running.has(name)) return;
    this.#clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  /** Stops all of them. */
  stopAll() {
    for (const name of [...this.#running.keys()]) this.stop(name);
  }
}
