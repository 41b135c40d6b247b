import { arrange, byId, element, setText } from "./dom.js";
import { COURSES, money } from "./format.js";

const MOST = 99;
const PULSE = 350;

/** The menu: a click adds a dish in the quantity that is set, which is one again after it. */
export class DishMenu {
  #onChoose;
  #input = byId("quantity");
  #buttons = new Map();
  #courses = new Map();

  /** @param {(name: string, quantity: number) => void} onChoose */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    byId("quantity-less").addEventListener("click", () => (this.#quantity -= 1));
    byId("quantity-more").addEventListener("click", () => (this.#quantity += 1));
    this.#input.addEventListener("change", () => (this.#quantity = this.#quantity));
  }

  get #quantity() {
    return Math.min(MOST, Math.max(1, Math.trunc(Number(this.#input.value)) || 1));
  }

  set #quantity(value) {
    this.#input.value = Math.min(MOST, Math.max(1, value));
  }

  /** Shows the dishes; those that are sold out cannot be chosen. */
  draw(menu, isEnabled) {
    const courses = Object.keys(COURSES).filter((course) => menu.some((dish) => dish.course === course));
    arrange(byId("dishes"), courses.map((course) => this.#drawCourse(course, menu, isEnabled)));
    const ids = new Set(menu.map(({ id }) => id));
    for (const id of this.#buttons.keys()) if (!ids.has(id)) this.#buttons.delete(id);
  }

  #drawCourse(course, menu, isEnabled) {
    if (!this.#courses.has(course)) this.#courses.set(course, makeCourse(course));
    const { section, list } = this.#courses.get(course);
    const dishes = menu.filter((dish) => dish.course === course).sort((a, b) => a.name.localeCompare(b.name));
    arrange(list, dishes.map((dish) => this.#drawDish(dish, isEnabled)));
    return section;
  }

  #drawDish({ id, name, price_in_cents: price, is_available: isAvailable }, isEnabled) {
    if (!this.#buttons.has(id)) this.#buttons.set(id, this.#makeButton());
    const { button, title, detail } = this.#buttons.get(id);
    button.dataset.name = name;
    button.disabled = !isEnabled || !isAvailable;
    button.classList.toggle("sold-out", !isAvailable);
    setText(title, name);
    setText(detail, isAvailable ? money(price) : "sold out");
    return button;
  }

  #makeButton() {
    const title = element("span", { class: "dish-name" });
    const detail = element("span", { class: "dish-detail" });
    const attributes = { type: "button", class: "dish", "data-testid": "menu-item" };
    const button = element("button", attributes, [title, " ", detail]);
    button.addEventListener("click", () => {
      this.#onChoose(button.dataset.name, this.#quantity);
      this.#quantity = 1;
      pulse(button);
    });
    return { button, title, detail };
  }
}

function makeCourse(course) {
  const list = element("div", { class: "dishes" });
  const section = element("section", { class: "course", "aria-label": COURSES[course] }, [
    element("h3", { text: COURSES[course] }),
    list,
  ]);
  return { section, list };
}

function pulse(button) {
  button.classList.add("added");
  setTimeout(() => button.classList.remove("added"), PULSE);
}
