// What somebody is writing, based on an entity as they have seen it.

/**
 * @typedef {object} Conflict A field that was changed here and elsewhere.
 * @property {unknown} mine
 * @property {unknown} theirs
 * @property {"mine" | "theirs" | null} choice
 */

export class Draft {
  #fields;
  #mine = new Map();
  /** The entity that the draft is based on. */
  base;
  /** By field. @type {Map<string, Conflict>} */
  conflicts = new Map();

  /** @param {object} entity @param {string[]} fields Those that can be written. */
  constructor(entity, fields) {
    this.base = entity;
    this.#fields = fields;
  }

  value(field) {
    return this.#mine.has(field) ? this.#mine.get(field) : this.base[field];
  }

  set(field, value) {
    if (value === this.base[field]) this.#mine.delete(field);
    else this.#mine.set(field, value);
    const conflict = this.conflicts.get(field);
    if (conflict) this.conflicts.set(field, { ...conflict, mine: value, choice: "mine" });
  }

  get isDirty() {
    return this.#mine.size > 0;
  }

  /** Whether no conflict waits for a choice. */
  get isDecided() {
    return [...this.conflicts.values()].every(({ choice }) => choice !== null);
  }

  /** What is to be sent: the fields that are different, and the version that they are based on. */
  get body() {
    return { ...Object.fromEntries(this.#mine), version: this.base.version };
  }

  /**
   * Bases the draft on the entity as it is now. What was not changed here follows; what was changed here and elsewhere,
   * and not to the same, is a conflict.
   *
   * @returns {string[]} All of the entity that is different from what the draft was based on.
   */
  rebase(current) {
    const isDifferent = (field) => JSON.stringify(current[field]) !== JSON.stringify(this.base[field]);
    const different = Object.keys(current).filter(isDifferent);
    for (const field of this.#fields) if (different.includes(field)) this.#collide(field, current[field]);
    this.base = current;
    return different;
  }

  #collide(field, theirs) {
    this.conflicts.delete(field);
    if (!this.#mine.has(field)) return;
    const mine = this.#mine.get(field);
    if (mine === theirs) this.#mine.delete(field);
    else this.conflicts.set(field, { mine, theirs, choice: null });
  }

  /** Decides a conflict. @param {"mine" | "theirs"} choice */
  resolve(field, choice) {
    const conflict = this.conflicts.get(field);
    this.conflicts.set(field, { ...conflict, choice });
    if (choice === "theirs") this.#mine.delete(field);
    else if (conflict.mine === this.base[field]) this.#mine.delete(field);
    else this.#mine.set(field, conflict.mine);
  }
}
