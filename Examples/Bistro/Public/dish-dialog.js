import { EditDialog } from "./edit-dialog.js";
import { and, cents, money } from "./format.js";

const FIELDS = [
  {
    name: "name",
    label: "Name",
    text: (value) => value,
    value: (text) => text.trim(),
    attributes: { maxlength: "80" },
  },
  {
    name: "price_in_cents",
    label: "Price in euros",
    text: (value) => (Number.isNaN(value) ? "" : (value / 100).toFixed(2)),
    value: cents,
    shown: money,
    faults: { range: "A dish costs at most €1,000.00." },
    fault: (value) => (Number.isNaN(value) ? "Write a price such as 14.50." : null),
    attributes: { inputmode: "decimal", maxlength: "12" },
  },
];

/** Edits the name and the price of a dish. */
export const makeDishDialog = (parts) =>
  new EditDialog({
    ...parts,
    name: "dish",
    channel: "menu_item",
    path: (id) => `/menu_items/${encodeURIComponent(id)}`,
    fields: FIELDS,
    title: ({ name }) => name,
    describe,
    tell: () => "Somebody changed this dish just now.",
  });

function describe(different, { name, is_available: isAvailable, price_in_cents: price }) {
  const told = [
    different.includes("name") && `it is called “${name}”`,
    different.includes("price_in_cents") && `it costs ${money(price)}`,
    different.includes("is_available") && (isAvailable ? "it can be ordered again" : "it is sold out"),
  ];
  return `Now ${and(told.filter(Boolean))}.`;
}
