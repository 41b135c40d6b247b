// Keeps what is shown right: fetches what is said to have changed.
//
// At most one fetch is under way. What is asked for meanwhile is collected and fetched by the next one, which starts as
// soon as this one ends: however fast changes come, the page is never more than two fetches behind, and there is never
// a wait for a quiet moment that may not come. What could not be fetched stays wanted and is tried again.

/** Beyond this many single entities one fetch of everything is cheaper. */
const MOST_SINGLES = 4;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 15_000;

export class Refresher {
  #fetchAll;
  #fetchOne;
  #onTrouble;
  #setTimeout;
  #clearTimeout;
  #wantsAll = false;
  #wanted = new Set();
  #isRunning = false;
  #failures = 0;
  #retry = null;

  /**
   * @param {object} options
   * @param {() => Promise<void>} options.fetchAll
   * @param {(id: string) => Promise<void>} options.fetchOne
   * @param {(isInTrouble: boolean) => void} [options.onTrouble] Told true when a fetch failed, so that what is shown
   *   may be out of date, and false when all that was wanted has been fetched.
   */
  constructor({
    fetchAll,
    fetchOne,
    onTrouble = () => {},
    setTimeout = (action, ms) => globalThis.setTimeout(action, ms),
    clearTimeout = (timer) => globalThis.clearTimeout(timer),
  }) {
    this.#fetchAll = fetchAll;
    this.#fetchOne = fetchOne;
    this.#onTrouble = onTrouble;
    this.#setTimeout = setTimeout;
    this.#clearTimeout = clearTimeout;
  }

  /** Everything may have changed. */
  refreshAll() {
    this.#wantsAll = true;
    this.#startSoon();
  }

  /** This one has changed. */
  refresh(id) {
    this.#wanted.add(id);
    this.#startSoon();
  }

  /** Tries again now what could not be fetched. */
  retry() {
    if (this.#failures > 0) this.#startSoon();
  }

  get #isWanted() {
    return this.#wantsAll || this.#wanted.size > 0;
  }

  // Not at once: what is asked for in one go is one fetch.
  #startSoon() {
    queueMicrotask(() => this.#start());
  }

  async #start() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#clearTimeout(this.#retry);
    while (this.#isWanted) {
      if (!(await this.#fetchWanted())) break;
    }
    this.#isRunning = false;
  }

  /** @returns {Promise<boolean>} Whether to go on. */
  async #fetchWanted() {
    const all = this.#wantsAll || this.#wanted.size > MOST_SINGLES;
    const ids = [...this.#wanted];
    this.#wantsAll = false;
    this.#wanted.clear();
    try {
      await (all ? this.#fetchAll() : Promise.all(ids.map((id) => this.#fetchOne(id))));
    } catch {
      if (all) this.#wantsAll = true;
      for (const id of ids) this.#wanted.add(id);
      this.#retryLater();
      return false;
    }
    if (this.#failures > 0 && !this.#isWanted) {
      this.#failures = 0;
      this.#onTrouble(false);
    }
    return true;
  }

  #retryLater() {
    const delay = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** this.#failures);
    this.#failures += 1;
    if (this.#failures === 1) this.#onTrouble(true);
    this.#retry = this.#setTimeout(() => this.#start(), delay);
  }
}
