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

/** A status as people say it. */
export const statusName = (status) => STATUS_NAMES[status] ?? status;

/** "Table 7"; a table that has more of a name than a number goes by it. */
export const tableName = (table) => (/^\d/.test(table) ? `Table ${table}` : table);

/** What comes after a status, what leads there, and whether one may cancel instead; null when nothing comes. */
export const nextStep = (status) => NEXT[status] ?? null;

/** Whether an order still needs somebody. */
export const isUnfinished = ({ status }) => status in NEXT;

/** Minutes since a moment, never less than 0: the clocks of server and page differ. */
export function minutesSince(moment, now) {
  const minutes = Math.floor((now - Date.parse(moment)) / 60_000);
  return minutes > 0 ? minutes : 0;
}

/** "now", "3 min", "1 h 5 min". */
export function elapsed(minutes) {
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h` : `${(minutes - rest) / 60} h ${rest} min`;
}

/** "1 dish", "3 dishes". */
export function dishes(items) {
  const count = items.reduce((sum, { quantity }) => sum + quantity, 0);
  if (count === 0) return "empty";
  return count === 1 ? "1 dish" : `${count} dishes`;
}
