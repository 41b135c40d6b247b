/** There is one of it, and it has one address. */
export const SETTINGS = "/settings";

/** Whether orders are taken or not is said about the settings as they were seen: their lock is mandatory. */
export function makeSettingsActions(mutations, settings) {
  const { store } = settings;
  return {
    setTakesOrders({ id }, takesOrders) {
      // What was changed here before has been confirmed when it is this one's turn.
      const body = () => ({ takes_orders: takesOrders, version: store.known(id).entity.version });
      const wish = { entityId: id, kind: "patch", value: { takes_orders: takesOrders } };
      return mutations.run(settings, wish, { method: "PATCH", path: SETTINGS, body });
    },
  };
}

/** What people do with dishes, besides editing them. */
export function makeMenuActions(mutations, menu) {
  return {
    setAvailable(id, isAvailable) {
      const value = { is_available: isAvailable };
      const request = { method: "PATCH", path: `/menu_items/${encodeURIComponent(id)}`, body: value };
      return mutations.run(menu, { entityId: id, kind: "patch", value }, request);
    },
  };
}
