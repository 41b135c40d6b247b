// The audit trail of an entity, as people tell it.

import { money, statusName } from "./format.js";

const FIELDS = {
  table: "Table",
  note: "Note",
  name: "Name",
  price_in_cents: "Price",
  is_available: "On the menu",
};

const ITEMS = { item_added: "Added", item_updated: "Changed", item_removed: "Removed" };

/**
 * What happened, of one entry of a history.
 *
 * @param {object} entry
 * @param {object[]} [items] The dishes of the order as it is: entries name them by their identifiers only.
 * @returns {{who: string, what: string, when: Date}}
 */
export function told(entry, items = []) {
  return { who: who(entry), what: what(entry, items), when: new Date(entry.timestamp) };
}

// Nobody signs in to the demo. What was there from the start came without a request.
const who = ({ user_id: user, request_id: request }) => user ?? (request ? "Somebody" : "The house");

function what({ type, field, old, new: value, state_from: from, state_to: to, metadata }, items) {
  if (to) return `${statusName(from)} → ${statusName(to)}`;
  if (field) return `${FIELDS[field] ?? field}: ${shown(field, old)} → ${shown(field, value)}`;
  const happened = type.split(".").at(-1);
  if (happened in ITEMS) return `${ITEMS[happened]} ${dish(items, metadata?.item_id)}`;
  return happened[0].toUpperCase() + happened.slice(1).replaceAll("_", " ");
}

function dish(items, id) {
  const item = items.find((each) => each.id === id);
  return item ? item.name : "a dish";
}

function shown(field, value) {
  if (value === null || value === "") return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return field.endsWith("_in_cents") ? money(value) : `“${value}”`;
}
