// Where the page is: a view, and what is edited on top of it.

const VIEWS = { "": "floor", kitchen: "kitchen", menu: "menu", settings: "settings" };
const EDITED = { orders: "order", menu: "dish" };

/**
 * Reads the fragment of an address: `#/menu`, `#/orders/<id>`.
 *
 * @returns {{view: string | null, edited: {kind: string, id: string} | null}} No view: it stays as it is.
 */
export function parseRoute(hash) {
  const [first = "", id] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  const edited = id && first in EDITED ? { kind: EDITED[first], id } : null;
  return { view: edited && !(first in VIEWS) ? null : (VIEWS[first] ?? "floor"), edited };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/**
 * Shows the view that the address names, and opens what it says is edited.
 *
 * @param {Record<string, {open: (id: string, onClosed: () => void) => void, close: () => void}>} dialogs By kind.
 * @param {(view: string, isFirst: boolean) => void} onView
 */
export function followAddress(dialogs, onView) {
  let view = "floor";
  let before = "#/";

  function go() {
    const route = parseRoute(location.hash);
    for (const dialog of Object.values(dialogs)) dialog.close();
    if (route.view && route.view !== view) onView((view = route.view), false);
    if (!route.edited) before = location.hash || "#/";
    // The address of the dialog is replaced: going back does not open it again.
    else dialogs[route.edited.kind].open(route.edited.id, () => location.replace(parentOf(route, before)));
  }

  addEventListener("hashchange", go);
  onView(view, true);
  go();
}

const parentOf = ({ view }, before) => (view === "menu" ? "#/menu" : before);
