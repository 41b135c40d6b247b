import { element, setText } from "./dom.js";
import { EditForm } from "./edit-form.js";
import { makeSaving } from "./saving.js";

/** A dialog that edits one entity, and hears what happens to it meanwhile. */
export class EditDialog {
  #parts;
  #heading;
  #dialog;
  #form;
  #id = null;
  #onClosed = () => {};
  #unsubscribe = () => {};
  #drop = element("button", { type: "button", class: "quiet", text: "Drop what I wrote", hidden: true });

  /**
   * @param {object} parts
   * @param {string} parts.name
   * @param {string} parts.channel `order` for `order:<id>`.
   * @param {(id: string) => string} parts.path
   * @param {import("./edit-field.js").FieldDescription[]} parts.fields
   * @param {(entity: object) => string} parts.title
   * @param {(different: string[], entity: object) => string} parts.describe What others changed, in words.
   * @param {(event: object) => string} parts.tell What an event says, in words.
   * @param {{element: Node, show: (id: string) => void} | null} [parts.aside] What else there is to see.
   * @param {import("./live.js").LiveEntities} parts.live
   * @param {object} parts.client
   * @param {import("./own-changes.js").OwnChanges} parts.own
   * @param {typeof import("./api.js").change} parts.change
   * @param {typeof import("./api.js").read} parts.read
   * @param {(message: string) => void} parts.report Shows why it did not open.
   */
  constructor({ name, fields, describe, aside = null, ...parts }) {
    this.#parts = { name, aside, ...parts };
    const save = makeSaving({ ...parts, store: parts.live.store });
    const close = element("button", { type: "button", class: "plain", "data-testid": "edit-close", text: "Close" });
    close.addEventListener("click", () => this.#leaveIfClean());
    this.#drop.addEventListener("click", () => this.#leave());
    this.#form = new EditForm({
      id: `edit-${name}`,
      fields,
      describe: (different, entity) => {
        this.#name(entity);
        return describe(different, entity);
      },
      save: (body) => save(parts.path(this.#id), body),
      load: () => this.#load(),
      onSaved: () => this.#leave(),
      buttons: [this.#drop, close],
    });
    this.#heading = element("h2", { id: `edit-${name}-heading`, tabindex: "-1" });
    this.#dialog = this.#makeDialog(aside);
    document.body.append(this.#dialog);
  }

  #makeDialog(aside) {
    const { name } = this.#parts;
    const attributes = { class: "dialog", "data-testid": `${name}-dialog`, "aria-labelledby": this.#heading.id };
    const children = [this.#heading, this.#form.element, ...(aside ? [aside.element] : [])];
    const dialog = element("dialog", attributes, children);
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#leaveIfClean();
    });
    // The browser may insist.
    dialog.addEventListener("close", () => !dialog.open && this.#id && this.#leave());
    return dialog;
  }

  /** Opens it; the listener is called when somebody has closed it. */
  async open(id, onClosed) {
    this.#id = id;
    this.#onClosed = onClosed;
    this.#drop.hidden = true;
    const { live, aside } = this.#parts;
    try {
      const { entity, position } = live.store.known(id) ?? (await this.#fetch());
      if (this.#id !== id) return;
      this.#name(entity);
      this.#form.begin(entity);
      this.#listen(position);
    } catch (error) {
      if (this.#id === id) this.#leave();
      return this.#parts.report(error.message);
    }
    aside?.show(id);
    this.#dialog.showModal();
    // Not the first field: on a phone the keyboard would cover the rest.
    this.#heading.focus();
  }

  /** Closes it, whatever was written. */
  close() {
    this.#id = null;
    this.#unsubscribe();
    this.#dialog.close();
  }

  #name(entity) {
    setText(this.#heading, this.#parts.title(entity));
  }

  async #fetch() {
    const { content, position } = await this.#parts.read(this.#parts.path(this.#id));
    return { entity: content, position };
  }

  async #load() {
    const { entity, position } = await this.#fetch();
    this.#parts.live.store.learn(entity, position);
    this.#name(entity);
    return entity;
  }

  #listen(since) {
    const { client, channel } = this.#parts;
    const onSubscribed = ({ recovered }) => recovered || this.#compare();
    const options = { since, onSubscribed };
    this.#unsubscribe = client.subscribe(`${channel}:${this.#id}`, (event) => this.#hear(event), options);
  }

  // What we did ourselves is no news, nor what the version that is edited contains.
  #hear(event) {
    const { own, aside, tell } = this.#parts;
    aside?.show(this.#id);
    if (own.isOwn(event)) return this.#follow(event);
    if (event.payload.version <= this.#form.base.version) return;
    if (event.event === "stale") return this.#compare();
    if (event.event === "deleted") this.#form.tellGone("Somebody else has deleted this just now.");
    else this.#form.tellChanged(tell(event));
  }

  // Something may have been missed. The form stays as it is, whatever there is to be found.
  async #compare() {
    const id = this.#id;
    const found = await this.#fetch().catch(() => null);
    if (found && id === this.#id && found.entity.version > this.#form.base.version) {
      this.#form.tellChanged(this.#parts.tell({ event: "updated" }));
    }
  }

  // A change that was made here and confirmed after the form was opened.
  #follow({ payload: { version } }) {
    const entity = this.#parts.live.store.known(this.#id)?.entity;
    if (entity?.version === version && this.#form.base.version === version - 1) this.#form.follow(entity);
  }

  #leaveIfClean() {
    if (!this.#form.isDirty) return this.#leave();
    this.#drop.hidden = false;
    this.#drop.focus();
  }

  #leave() {
    const onClosed = this.#onClosed;
    this.close();
    onClosed();
  }
}
