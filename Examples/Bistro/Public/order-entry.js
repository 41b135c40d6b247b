import { DishMenu } from "./dish-menu.js";
import { byId } from "./dom.js";
import { isUnfinished } from "./format.js";
import { NewOrder } from "./new-order.js";
import { OrderPicker } from "./order-picker.js";
import { Ticket } from "./ticket.js";

/**
 * The side of whoever takes orders: open one, choose one, add dishes and a note. While the house takes no orders it
 * shows them, and nothing can be ordered.
 *
 * @param {object} parts
 * @param {import("./entity-store.js").EntityStore} parts.store Orders.
 * @param {import("./entity-store.js").EntityStore} parts.menu
 * @param {import("./entity-store.js").EntityStore} parts.settings
 * @param {object} parts.actions
 * @param {(message: string) => void} parts.report
 */
export function showOrderEntry({ store, menu, settings, actions, report }) {
  const ticket = new Ticket({ store, menu, actions, report });
  const picker = new OrderPicker({ store, onSelect: show });
  const newOrder = new NewOrder({ actions, onOpened: (orderId) => picker.select(orderId) });
  const dishMenu = new DishMenu((name, quantity) => actions.addItem(picker.selected, name, quantity));

  const isClosed = () => settings.all[0]?.takes_orders === false;

  function show(orderId) {
    ticket.show(orderId, isClosed());
    drawMenu();
  }

  function drawMenu() {
    const order = picker.selected && store.get(picker.selected);
    dishMenu.draw(menu.all, Boolean(order) && isUnfinished(order) && !isClosed());
  }

  function draw() {
    if (store.isLoaded && picker.selected && !store.get(picker.selected)) picker.select(null);
    byId("closed").hidden = !isClosed();
    newOrder.setEnabled(!isClosed());
    picker.draw();
    ticket.draw(isClosed());
    drawMenu();
  }

  for (const each of [store, menu, settings]) each.onChange(draw);
  draw();
}
