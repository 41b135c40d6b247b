// Entities of one kind that follow the server.

import { EntityStore } from "./entity-store.js";
import { Refresher } from "./refresher.js";

/**
 * @typedef {object} LiveEntities
 * @property {EntityStore} store
 * @property {(id: string) => void} refresh Fetches one.
 * @property {() => void} start Fetches everything, and from then on what changes.
 * @property {() => void} retry Tries again now what could not be fetched.
 */

/**
 * @param {object} parts
 * @param {object} parts.client A `BroadcastClient`.
 * @param {string} parts.channel
 * @param {() => Promise<{items: object[], position: string | null}[]>} parts.loadAll Pages; what happens after the
 *   first one's position is heard of.
 * @param {(id: string) => Promise<{content: object, position: string | null}>} parts.loadOne
 * @param {import("./own-changes.js").OwnChanges} parts.own
 * @param {(isInTrouble: boolean) => void} [parts.onTrouble]
 * @param {() => number} [parts.random]
 * @returns {LiveEntities}
 */
export function makeLive({ client, channel, loadAll, loadOne, own, onTrouble = () => {}, random = Math.random }) {
  const store = new EntityStore();
  let isFollowing = false;

  const refresher = new Refresher({
    async fetchAll() {
      const begunAt = store.fetchBegins();
      const pages = await loadAll();
      store.takeAll(pages, begunAt);
      follow(pages[0].position);
    },
    async fetchOne(id) {
      const begunAt = store.fetchBegins();
      try {
        const { content, position } = await loadOne(id);
        store.take([{ items: [content], position }], begunAt);
      } catch (error) {
        if (error.status !== 404) throw error;
        store.forget(id, begunAt);
      }
    },
    onTrouble,
  });

  // The server tells what happened since the first page was read. After a reconnect it tells what was missed, if it
  // still knows; if it does not, everything is fetched again.
  function follow(since) {
    if (isFollowing) return;
    isFollowing = true;
    client.subscribe(channel, hear, { since, onSubscribed: ({ recovered }) => recovered || refresher.refreshAll() });
  }

  function hear(event) {
    const refetch = () => {
      if (event.payload.entity_id === undefined) refresher.refreshAll();
      else if (own.isNews(event, store)) refresher.refresh(event.payload.entity_id);
    };
    // So many hear this that they had better not all ask at once.
    if (event.spread_ms) setTimeout(refetch, random() * event.spread_ms);
    else refetch();
  }

  return {
    store,
    refresh: (id) => refresher.refresh(id),
    start: () => refresher.refreshAll(),
    retry: () => refresher.retry(),
  };
}
