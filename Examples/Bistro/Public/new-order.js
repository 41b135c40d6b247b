import { byId, setText } from "./dom.js";
import { tableName } from "./format.js";

/**
 * The form that opens an order. The table that was entered is on its way at once; should it not arrive, it is back in
 * the field.
 *
 * @param {object} parts
 * @param {object} parts.actions
 * @param {(orderId: string) => void} parts.onOpened
 */
export function showNewOrder({ actions, onOpened }) {
  const form = byId("new-order");
  const input = byId("new-order-table");
  const button = form.querySelector("button");
  let underWay = 0;

  function draw() {
    setText(button, underWay > 0 ? "Opening…" : "New order");
    button.setAttribute("aria-busy", underWay > 0);
  }

  function hint(text) {
    setText(byId("new-order-hint"), text);
    input.setAttribute("aria-invalid", text !== "");
  }

  async function open(table) {
    input.value = "";
    underWay += 1;
    draw();
    const order = await actions.open(table);
    underWay -= 1;
    draw();
    if (order) onOpened(order.id);
    else if (input.value === "") input.value = table;
    else hint(`Not opened: ${tableName(table)}.`);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const table = input.value.trim();
    if (table !== "") {
      hint("");
      open(table);
    } else if (underWay === 0) {
      hint("Which table is it for?");
      input.focus();
    }
  });
  input.addEventListener("input", () => hint(""));
}
