import { byId, setAttribute } from "./dom.js";

const TITLES = { floor: "Orders", kitchen: "Kitchen", menu: "Menu", settings: "Settings" };

/** Shows one of the views, and says where one is: whoever cannot see it is taken to its heading. */
export function showView(view, isFirst) {
  document.body.dataset.view = view;
  for (const section of document.querySelectorAll("[data-views]")) {
    section.classList.toggle("shown", section.dataset.views.split(" ").includes(view));
  }
  for (const link of document.querySelectorAll(".views a")) {
    setAttribute(link, "aria-current", link.dataset.view === view ? "page" : null);
  }
  drawTitle();
  scrollTo(0, 0);
  if (!isFirst) document.querySelector(".shown h1").focus({ preventScroll: true });
}

/** The name of the restaurant in the header, and that of the view with it in the window's title. */
export function showBrand(name) {
  byId("brand").textContent = name;
  drawTitle();
}

function drawTitle() {
  document.title = `${TITLES[document.body.dataset.view]} · ${byId("brand").textContent}`;
}
