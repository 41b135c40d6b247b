// How much happens in a second, from counters that only grow.

/** What is further apart is no second any more: nobody looked in between. */
const LONGEST_GAP = 10_000;

/** Keeps the rates of the last while. */
export class Rates {
  #window;
  #last = null;
  /** `{ at, events, deliveries }`: when, in the server's milliseconds, and how much in a second; the oldest first. */
  points = [];

  /** Keeps `window` milliseconds. */
  constructor(window = 120_000) {
    this.#window = window;
  }

  /** The newest rates; null if there are none. */
  get current() {
    return this.points.at(-1) ?? null;
  }

  add({ measured, published, delivered }) {
    const last = this.#last;
    if (last && measured === last.measured) return;
    this.#last = { measured, published, delivered };
    // Another server, or the same one anew: its counters and its clock begin again.
    if (!last || measured < last.measured || published < last.published || delivered < last.delivered) {
      this.points = [];
      return;
    }
    const time = measured - last.measured;
    if (time > LONGEST_GAP) {
      this.points = [];
      return;
    }
    const inSecond = (count) => (count * 1000) / time;
    this.points.push({
      at: measured,
      events: inSecond(published - last.published),
      deliveries: inSecond(delivered - last.delivered),
    });
    this.points = this.points.filter(({ at }) => at > measured - this.#window);
  }
}
