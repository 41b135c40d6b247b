import { newIdentifier } from "./identifier.js";

/**
 * Saves what somebody has written, and waits for the answer. What is sent again unchanged after no answer came has the
 * same name, so that it is made once.
 *
 * @param {object} parts
 * @param {typeof import("./api.js").change} parts.change
 * @param {import("./own-changes.js").OwnChanges} parts.own
 * @param {import("./entity-store.js").EntityStore} parts.store
 * @returns {(path: string, body: object) => Promise<object>} The answer is the entity.
 */
export function makeSaving({ change, own, store }) {
  let unanswered = { wish: null, id: null };

  return async (path, body) => {
    const wish = JSON.stringify([path, body]);
    const id = unanswered.wish === wish ? unanswered.id : newIdentifier();
    unanswered = { wish, id };
    own.begin(id);
    try {
      const { content, position } = await change(id, { method: "PATCH", path, body });
      unanswered = { wish: null, id: null };
      store.learn(content, position);
      return content;
    } catch (error) {
      if (error.isDecided) unanswered = { wish: null, id: null };
      if (error.current) store.learn(error.current, null);
      throw error;
    } finally {
      own.end(id);
    }
  };
}
