import { byId } from "./dom.js";
import { EditForm } from "./edit-form.js";
import { SETTINGS } from "./house-actions.js";
import { makeSaving } from "./saving.js";
import { showBrand } from "./views.js";

const FIELDS = [
  {
    name: "restaurant_name",
    label: "Name of the restaurant",
    text: (value) => value,
    value: (text) => text.trim(),
    attributes: { maxlength: "80" },
  },
];

/**
 * The settings, and what follows them on every view: the name in the header.
 *
 * @param {object} parts
 * @param {import("./live.js").LiveEntities} parts.live
 * @param {object} parts.actions
 * @param {import("./own-changes.js").OwnChanges} parts.own
 * @param {typeof import("./api.js").change} parts.change
 * @param {typeof import("./api.js").read} parts.read
 */
export function showSettings({ live: { store }, actions, own, change, read }) {
  const toggle = byId("takes-orders");
  const save = makeSaving({ change, own, store });
  const form = new EditForm({
    id: "settings",
    fields: FIELDS,
    describe: (different) => (different.includes("restaurant_name") ? "The restaurant has another name now." : ""),
    save: (body) => save(SETTINGS, body),
    async load() {
      const { content, position } = await read(SETTINGS);
      store.learn(content, position);
      return content;
    },
  });

  function draw() {
    const [settings] = store.all;
    if (!settings) return;
    showBrand(settings.restaurant_name);
    toggle.disabled = false;
    toggle.checked = settings.takes_orders;
    followForm(store.known(settings.id).entity);
  }

  // What nobody is writing follows at once. Who is writing a name is told of another one, and of nothing else.
  function followForm(settings) {
    const { base, isBusy, isDirty } = form;
    if (isBusy || base?.version === settings.version) return;
    if (!base || !isDirty) form.begin(settings);
    else if (base.restaurant_name === settings.restaurant_name) form.follow(settings);
    else form.tellChanged(`Somebody named the restaurant “${settings.restaurant_name}” just now.`);
  }

  toggle.addEventListener("change", () => actions.setTakesOrders(store.all[0], toggle.checked));
  byId("settings-form").append(form.element);
  store.onChange(draw);
  draw();
}
