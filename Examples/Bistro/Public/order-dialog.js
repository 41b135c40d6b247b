import { EditDialog } from "./edit-dialog.js";
import { and, orderName, statusName } from "./format.js";
import { HistoryList } from "./history-list.js";

const path = (id) => `/orders/${encodeURIComponent(id)}`;

const FIELDS = [
  {
    name: "table",
    label: "Table",
    text: (value) => value ?? "",
    value: (text) => text.trim(),
    attributes: { maxlength: "40" },
  },
  {
    name: "note",
    label: "Note for the kitchen",
    text: (value) => value ?? "",
    value: (text) => text.trim() || null,
    isLong: true,
    attributes: { rows: "3", maxlength: "400", placeholder: "Allergies, wishes, hurry" },
  },
];

const EVENTS = {
  status_changed: "moved this order on",
  item_added: "added a dish to this order",
  item_updated: "changed a dish of this order",
  item_removed: "removed a dish from this order",
};

/** Edits the table and the note of an order, beside its history. */
export function makeOrderDialog(parts) {
  const { live, read } = parts;
  const items = (id) => live.store.get(id)?.items ?? [];
  return new EditDialog({
    ...parts,
    name: "order",
    channel: "order",
    path,
    fields: FIELDS,
    title: orderName,
    describe,
    tell: ({ event }) => `Somebody ${EVENTS[event] ?? "changed this order"} just now.`,
    aside: new HistoryList({ read, path: (id) => `${path(id)}/history`, items }),
  });
}

function describe(different, { status }) {
  const parts = { table: "the table", note: "the note", items: "the dishes" };
  const changed = Object.keys(parts).filter((name) => different.includes(name));
  const sentences = [
    changed.length > 0 && `Meanwhile ${and(changed.map((name) => parts[name]))} changed.`,
    different.includes("status") && `The order is ${statusName(status).toLowerCase()} now.`,
  ];
  return sentences.filter(Boolean).join(" ");
}
