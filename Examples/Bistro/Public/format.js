// What the page calls things.

const STATUS_NAMES = {
  open: "Open",
  preparing: "Preparing",
  ready: "Ready",
  served: "Served",
  cancelled: "Cancelled",
};

const NEXT = {
  open: { status: "preparing", action: "Prepare", cancellable: true },
  preparing: { status: "ready", action: "Mark ready", cancellable: true },
  ready: { status: "served", action: "Serve", cancellable: false },
};

const MONEY = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

/** The states of orders that still need somebody, in their order. */
export const UNFINISHED = Object.keys(NEXT);

/** The states of those that do not. */
export const FINISHED = ["served", "cancelled"];

/** The courses of the menu, in the order in which they are eaten. */
export const COURSES = { starter: "Starters", main: "Mains", dessert: "Desserts", drink: "Drinks" };

/** A status as people say it. */
export const statusName = (status) => STATUS_NAMES[status] ?? status;

/** "Table 7"; a table that has more of a name than a number goes by it. */
export const tableName = (table) => (/^\d/.test(table) ? `Table ${table}` : table);

/** What an order is called; one that the server does not know yet has no reference. */
export const orderName = ({ reference, table }) => tableName(table) + (reference ? ` (${reference})` : "");

/** What comes after a status, what leads there, and whether one may cancel instead; null when nothing comes. */
export const nextStep = (status) => NEXT[status] ?? null;

/** Whether an order still needs somebody. */
export const isUnfinished = ({ status }) => status in NEXT;

/** "€14.50". */
export const money = (cents) => MONEY.format(cents / 100);

/** Cents from what people write: "14.5", "14,50", "€ 14". Not a number if it is none. */
export function cents(text) {
  const match = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec(text.replace(/[€\s]/g, ""));
  return match ? Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0")) : NaN;
}

/** Minutes since a moment, never less than 0: the clocks of server and page differ. */
export function minutesSince(moment, now) {
  const minutes = Math.floor((now - Date.parse(moment)) / 60_000);
  return minutes > 0 ? minutes : 0;
}

/** "now", "3 min", "1 h 5 min", "2 days". */
export function elapsed(minutes) {
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  if (minutes >= 2_880) return `${Math.floor(minutes / 1_440)} days`;
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h` : `${(minutes - rest) / 60} h ${rest} min`;
}

/** "table, note and dishes". */
export const and = (words) => [words.slice(0, -1).join(", "), words.at(-1)].filter(Boolean).join(" and ");

/** "1 dish", "3 dishes". */
export function dishes(items) {
  const count = items.reduce((sum, { quantity }) => sum + quantity, 0);
  if (count === 0) return "empty";
  return count === 1 ? "1 dish" : `${count} dishes`;
}
