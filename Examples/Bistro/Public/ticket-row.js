import { element } from "./dom.js";
import { money } from "./format.js";

const MOST = 99;

/**
 * One dish on an order. One that waits for the server can be taken back, one that is there changed and removed.
 *
 * @param {object} item
 * @param {{price: number | null, isOpen: boolean, orderId: string, actions: object}} parts
 */
export function makeRow({ id, name, quantity, change }, { price, isOpen, orderId, actions }) {
  const isWaiting = change?.state === "waiting";
  const text = [
    element("span", { class: "row-quantity", text: `${quantity} ×` }),
    " ",
    element("span", { class: "row-name", text: name }),
    " ",
    element("span", { class: "row-price", text: price === null ? "" : money(price * quantity) }),
  ];
  if (isWaiting) {
    const withdraw = () => actions.withdraw(change.id);
    return element("li", { class: "row waiting", "data-testid": "waiting-item" }, [
      ...text,
      element("span", { class: "row-state", text: "waits for the server" }),
      element("button", { type: "button", class: "quiet small", text: "Take back", onclick: withdraw }),
    ]);
  }
  const button = (label, sign, act, isDisabled = false) =>
    element("button", {
      type: "button",
      class: "row-button",
      "aria-label": `${label}: ${name}`,
      "data-item": id,
      "data-act": sign,
      disabled: isDisabled,
      text: sign,
      onclick: act,
    });
  const buttons = [
    button("One less", "−", () => actions.setQuantity(orderId, id, quantity - 1), quantity <= 1),
    button("One more", "+", () => actions.setQuantity(orderId, id, quantity + 1), quantity >= MOST),
    button("Remove", "×", () => actions.removeItem(orderId, id)),
  ];
  const attributes = { class: change ? "row sending" : "row", "data-testid": "ticket-item" };
  return element("li", attributes, [...text, ...(isOpen ? [element("span", { class: "row-buttons" }, buttons)] : [])]);
}
