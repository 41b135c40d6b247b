import { statusName, tableName } from "./format.js";

/** More than this many changes at once are counted rather than told. */
const MOST_TOLD = 3;

/**
 * What changed between two looks at the kitchen, in words.
 *
 * @param {Map<string, object>} before
 * @param {Map<string, object>} after Orders by identifier.
 * @returns {{changed: Set<string>, text: string}} The orders that are new or different, and a sentence or none.
 */
export function news(before, after) {
  const told = new Map();
  for (const [id, order] of after) {
    const sentence = difference(before.get(id), order);
    if (sentence) told.set(id, sentence);
  }
  const text = told.size > MOST_TOLD ? `${told.size} orders changed.` : [...told.values()].join(" ");
  return { changed: new Set(told.keys()), text };
}

function difference(before, order) {
  const table = tableName(order.table);
  if (!before) return `New order: ${table}.`;
  if (before.status !== order.status) return `${table}: ${statusName(order.status).toLowerCase()}.`;
  if (order.items.length > before.items.length) {
    const added = order.items.slice(before.items.length).map(({ name, quantity }) => `${quantity} ${name}`);
    return `${table}: ${added.join(", ")} added.`;
  }
  if ((before.note ?? "") !== (order.note ?? "")) return order.note ? `${table}: ${order.note}.` : `${table}: no note.`;
  if (before.table !== order.table) return `${tableName(before.table)} is now ${table}.`;
  return order.items.length < before.items.length ? `${table}: a dish was taken back.` : null;
}
