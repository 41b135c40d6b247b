/** As many as may still come back as an event. */
const REMEMBERED = 500;

/** The names of our own changes: they come back as `origin` of the events. */
export class OwnChanges {
  /** @type {Map<string, {isUnderWay: boolean, version: number | null}>} */
  #names = new Map();

  begin(name) {
    this.#names.set(name, { isUnderWay: true, version: null });
    if (this.#names.size > REMEMBERED) this.#names.delete(this.#names.keys().next().value);
  }

  end(name) {
    const own = this.#names.get(name);
    if (own) own.isUnderWay = false;
  }

  /** Whether an event is the echo of a change that was made here. */
  isOwn({ payload }) {
    return this.#names.has(payload.origin);
  }

  /** The version that a change has led to, if its echo was there before its answer. */
  versionOf(name) {
    return this.#names.get(name)?.version ?? null;
  }

  /**
   * Whether an event tells something that has to be fetched. Of what is under way the answer will tell more, and
   * whoever gets none looks for themselves.
   *
   * @param {{payload: object, position?: string}} event
   * @param {import("./entity-store.js").EntityStore} store
   */
  isNews({ payload, position = null }, store) {
    const own = this.#names.get(payload.origin);
    if (own?.isUnderWay) own.version = payload.version;
    return !own?.isUnderWay && !store.contains(payload, position) && !store.confirm(payload, position);
  }
}
