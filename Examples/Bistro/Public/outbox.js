// Sends changes until the server has decided.
//
// Those of one entity are sent one after the other: the server sees them in the order in which they were made. One that
// gets no answer keeps those behind it waiting and is sent again, under the same name, so that it is made once even if
// only the answer was lost.

const FIRST_RETRY = 1_000;
const LAST_RETRY = 15_000;

/** Why a change was not made: its maker did not want to wait any longer. */
export class Withdrawn extends Error {}

export class Outbox {
  /** Entity to what is to be sent, in order. @type {Map<string, object[]>} */
  #lanes = new Map();
  #listeners = new Set();
  #sleepers = new Set();
  #setTimeout;

  constructor({ setTimeout = (action, ms) => globalThis.setTimeout(action, ms) } = {}) {
    this.#setTimeout = setTimeout;
  }

  /** How many changes are without an answer. */
  get waiting() {
    return [...this.#lanes.values()].filter(({ isStuck }) => isStuck).reduce((sum, { length }) => sum + length, 0);
  }

  /** How many changes the server has not decided on. */
  get count() {
    return [...this.#lanes.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Calls the listener when a count may have changed. */
  onChange(listener) {
    this.#listeners.add(listener);
  }

  /**
   * @param {string} lane The entity.
   * @param {object} entry
   * @param {string} entry.id The change's name.
   * @param {() => Promise<object>} entry.attempt Sends it. It fails with an error that says whether it `isDecided`.
   * @param {(state: "sending" | "waiting") => void} entry.onState
   * @returns {Promise<object>} The answer. It fails with the server's refusal, or is withdrawn.
   */
  send(lane, entry) {
    const entries = this.#lanes.get(lane) ?? [];
    const result = new Promise((resolve, reject) => entries.push({ ...entry, resolve, reject }));
    this.#lanes.set(lane, entries);
    if (entries.isStuck) entry.onState("waiting");
    else if (entries.length === 1) this.#drain(lane, entries);
    this.#tell();
    return result;
  }

  /** Sends what waits for an answer now. */
  retry() {
    for (const wake of [...this.#sleepers]) wake();
  }

  /** Gives up a change that is waiting. It may have been made all the same. */
  withdraw(id) {
    for (const entries of this.#lanes.values()) {
      const index = entries.findIndex((entry) => entry.id === id);
      if (index < 0 || !entries.isStuck) continue;
      const [entry] = entries.splice(index, 1);
      entry.reject(new Withdrawn());
      if (index === 0) entries.wake?.();
    }
    this.#tell();
  }

  async #drain(lane, entries) {
    for (let failures = 0; entries.length > 0; ) {
      if (await this.#attempt(entries)) failures = 0;
      else await this.#sleep(entries, Math.min(LAST_RETRY, FIRST_RETRY * 2 ** failures++));
      this.#tell();
    }
    this.#lanes.delete(lane);
    this.#tell();
  }

  /** @returns {Promise<boolean>} Whether to go on at once. */
  async #attempt(entries) {
    const [entry] = entries;
    const end = () => entries[0] === entry && entries.shift();
    try {
      const answer = await entry.attempt();
      end();
      entry.resolve(answer);
    } catch (error) {
      // One that was withdrawn meanwhile keeps nobody waiting.
      if (error.isDecided === false && entries[0] === entry) {
        this.#mark(entries, true);
        return false;
      }
      end();
      entry.reject(error);
    }
    this.#mark(entries, false);
    return true;
  }

  #mark(entries, isStuck) {
    if (Boolean(entries.isStuck) === isStuck) return;
    entries.isStuck = isStuck;
    for (const { onState } of entries) onState(isStuck ? "waiting" : "sending");
  }

  async #sleep(entries, delay) {
    await new Promise((resolve) => {
      entries.wake = resolve;
      this.#sleepers.add(resolve);
      this.#setTimeout(resolve, delay);
    });
    this.#sleepers.delete(entries.wake);
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}
