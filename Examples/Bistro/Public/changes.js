// What a change makes of an entity, before the server has confirmed it and on top of whatever the server says.

/**
 * @typedef {object} Change A change that was made here.
 * @property {string} id Its name, also for the server.
 * @property {string} entityId
 * @property {"create" | "patch" | "addItem" | "changeItem" | "removeItem"} kind
 * @property {object} value The entity, the fields, or the item with its `id`.
 * @property {"sending" | "waiting" | "done"} state `waiting` without an answer; it is sent again. `done` when the
 *   server has made it and has not yet said what the entity is like since.
 */

const KINDS = {
  patch: (entity, { value }) => ({ ...entity, ...value }),
  addItem(entity, { value, ...change }) {
    if (entity.items.some(({ id }) => id === value.id)) return entity;
    return { ...entity, items: [...entity.items, { ...value, change: pending(change) }] };
  },
  changeItem(entity, { value, ...change }) {
    const changed = (item) => (item.id === value.id ? { ...item, ...value, change: pending(change) } : item);
    return { ...entity, items: entity.items.map(changed) };
  },
  removeItem: (entity, { value }) => ({ ...entity, items: entity.items.filter(({ id }) => id !== value.id) }),
};

/**
 * @param {object | null} entity
 * @param {Change} change A change of this entity.
 * @returns {object | null} Null while there is nothing to change.
 */
export function apply(entity, change) {
  if (change.kind === "create") return entity ?? { ...change.value };
  return entity && KINDS[change.kind](entity, change);
}

const pending = ({ id, state }) => (state === "done" ? null : { id, state });
