// What a person does: it shows at once, is sent in the background, and is taken back if the server refuses.

import { newIdentifier } from "./identifier.js";
import { Withdrawn } from "./outbox.js";

/** @typedef {import("./live.js").LiveEntities} LiveEntities */

export class Mutations {
  #change;
  #outbox;
  #own;
  #report;

  /**
   * @param {object} parts
   * @param {typeof import("./api.js").change} parts.change
   * @param {import("./outbox.js").Outbox} parts.outbox
   * @param {import("./own-changes.js").OwnChanges} parts.own
   * @param {(error: Error, change: object, entity: object | null) => void} parts.report Shows why a change was taken
   *   back, and of which entity, as the server knows it.
   */
  constructor({ change, outbox, own, report }) {
    this.#change = change;
    this.#outbox = outbox;
    this.#own = own;
    this.#report = report;
  }

  /**
   * Makes a change.
   *
   * @param {LiveEntities} live
   * @param {{entityId: string, kind: string, value: object}} wish
   * @param {{method: string, path: string, body?: object | (() => object)}} request The body may be made when it is the
   *   request's turn. It stays the same when the request is sent again.
   * @param {object} [options]
   * @param {(error: Error) => boolean} [options.recover] Whether the refusal has been dealt with.
   * @returns {Promise<boolean>} Whether the server made the change. If not, it has been reported.
   */
  async run(live, wish, request, { recover = () => false } = {}) {
    const change = { ...wish, id: newIdentifier(), state: "sending" };
    this.#own.begin(change.id);
    live.store.begin(change);
    try {
      const answer = await this.#outbox.send(change.entityId, this.#entry(live, change, request));
      this.#settle(live, change, answer);
      return true;
    } catch (error) {
      this.#takeBack(live, change, error, recover);
      return false;
    } finally {
      this.#own.end(change.id);
    }
  }

  /** Gives up a change that waits for an answer. */
  withdraw = (id) => this.#outbox.withdraw(id);

  #entry({ store }, change, { method, path, body }) {
    let fixed = null;
    const attempt = () => {
      fixed ??= { method, path, body: typeof body === "function" ? body() : body };
      return this.#change(change.id, fixed);
    };
    return { id: change.id, attempt, onState: (state) => store.mark(change, state) };
  }

  #settle({ store, refresh }, change, answer) {
    const { content, position, version } = answer;
    if (!change.kind.endsWith("Item")) return store.settle(change, content, position);
    // What is gone has no version; its echo has, and has come or will come.
    const settled = { version: version ?? this.#own.versionOf(change.id), position };
    if (!store.settleItem(change, content, settled) && settled.version !== null) refresh(change.entityId);
  }

  #takeBack({ store, refresh }, change, error, recover) {
    store.discard(change);
    if (error.current) store.learn(error.current, null);
    // What was withdrawn, or failed in a way that nobody thought of, may have been made all the same.
    if (!error.current) refresh(change.entityId);
    if (error instanceof Withdrawn || recover(error)) return;
    this.#report(error, change, store.known(change.entityId)?.entity ?? null);
  }
}
