import { byId, element } from "./dom.js";
import { menu } from "./menu.js";

const MOST = 99;
const PULSE = 350;

/**
 * The menu: a click adds a dish in the quantity that is set, which is one again after it.
 *
 * @param {(name: string, quantity: number) => void} onChoose
 * @returns {{setEnabled: (isEnabled: boolean) => void}}
 */
export function showMenu(onChoose) {
  const input = byId("quantity");
  const quantity = () => Math.min(MOST, Math.max(1, Math.trunc(Number(input.value)) || 1));
  const setQuantity = (value) => (input.value = Math.min(MOST, Math.max(1, value)));

  byId("quantity-less").addEventListener("click", () => setQuantity(quantity() - 1));
  byId("quantity-more").addEventListener("click", () => setQuantity(quantity() + 1));
  input.addEventListener("change", () => setQuantity(quantity()));

  const buttons = menu.map(({ name, detail }) => {
    const button = element("button", { type: "button", class: "dish", "data-testid": "menu-item", "data-name": name }, [
      element("span", { class: "dish-name", text: name }),
      " ",
      element("span", { class: "dish-detail", text: detail }),
    ]);
    button.addEventListener("click", () => {
      onChoose(name, quantity());
      setQuantity(1);
      pulse(button);
    });
    return button;
  });
  byId("dishes").replaceChildren(...buttons);
  return {
    setEnabled: (isEnabled) => buttons.forEach((button) => (button.disabled = !isEnabled)),
  };
}

function pulse(button) {
  button.classList.add("added");
  setTimeout(() => button.classList.remove("added"), PULSE);
}
