import { showMenu } from "./dish-menu.js";
import { isUnfinished } from "./format.js";
import { showNewOrder } from "./new-order.js";
import { OrderPicker } from "./order-picker.js";
import { Ticket } from "./ticket.js";

/**
 * The side of whoever takes orders: open one, choose one, add dishes and a note.
 *
 * @param {object} parts
 * @param {import("./order-store.js").OrderStore} parts.store
 * @param {object} parts.actions
 */
export function showOrderEntry({ store, actions }) {
  const ticket = new Ticket({ store, actions });
  const picker = new OrderPicker({
    store,
    onSelect(orderId) {
      ticket.show(orderId);
      drawMenu();
    },
  });
  const dishes = showMenu((name, quantity) => actions.addItem(picker.selected, name, quantity));

  function drawMenu() {
    const order = picker.selected && store.order(picker.selected);
    dishes.setEnabled(Boolean(order) && isUnfinished(order));
  }

  function draw() {
    if (store.isLoaded && picker.selected && !store.order(picker.selected)) picker.select(null);
    picker.draw();
    ticket.draw();
    drawMenu();
  }

  showNewOrder({ actions, onOpened: (orderId) => picker.select(orderId) });
  store.onChange(draw);
  draw();
}
