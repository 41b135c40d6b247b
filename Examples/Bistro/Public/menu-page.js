import { arrange, byId, element, setAttribute, setText } from "./dom.js";
import { COURSES, money } from "./format.js";

/**
 * The menu, to be kept right: which dishes are sold out, and what they cost.
 *
 * @param {{store: import("./entity-store.js").EntityStore, actions: object}} parts
 */
export function showMenuPage({ store, actions }) {
  const rows = new Map();
  const courses = new Map();

  function draw() {
    const dishes = store.all.sort((a, b) => a.name.localeCompare(b.name));
    const shown = Object.keys(COURSES).filter((course) => dishes.some((dish) => dish.course === course));
    arrange(byId("menu-courses"), shown.map((course) => drawCourse(course, dishes)));
    const ids = new Set(dishes.map(({ id }) => id));
    for (const id of rows.keys()) if (!ids.has(id)) rows.delete(id);
  }

  function drawCourse(course, dishes) {
    if (!courses.has(course)) courses.set(course, makeCourse(course));
    const { section, list } = courses.get(course);
    arrange(list, dishes.filter((dish) => dish.course === course).map(drawRow));
    return section;
  }

  function drawRow(dish) {
    if (!rows.has(dish.id)) rows.set(dish.id, makeRow(dish.id));
    const { row, name, price, link, toggle, state } = rows.get(dish.id);
    setText(name, dish.name);
    setText(price, money(dish.price_in_cents));
    setAttribute(link, "aria-label", `Edit ${dish.name}`);
    toggle.checked = dish.is_available;
    setAttribute(toggle, "aria-label", `${dish.name} can be ordered`);
    setText(state, dish.is_available ? "" : "Sold out");
    row.classList.toggle("sold-out", !dish.is_available);
    return row;
  }

  function makeRow(id) {
    const [name, price, state] = ["dish-row-name", "dish-row-price", "sold-out-mark"].map((name) =>
      element("span", { class: name }),
    );
    const link = element("a", { class: "text-link", href: `#/menu/${id}`, text: "Edit", "data-testid": "dish-edit" });
    const attributes = { type: "checkbox", role: "switch", class: "switch", "data-testid": "dish-available" };
    const toggle = element("input", { ...attributes, onchange: () => actions.setAvailable(id, toggle.checked) });
    const title = element("span", { class: "dish-row-title" }, [name, " ", state]);
    const row = element("li", { class: "dish-row" }, [title, price, link, toggle]);
    return { row, name, price, link, toggle, state };
  }

  store.onChange(draw);
  draw();
}

function makeCourse(course) {
  const list = element("ul");
  const heading = element("h2", { id: `course-${course}`, text: COURSES[course] });
  const attributes = { class: "panel menu-course", "aria-labelledby": heading.id };
  return { section: element("section", attributes, [heading, list]), list };
}
