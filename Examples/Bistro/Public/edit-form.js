import { Draft } from "./draft.js";
import { element, setText } from "./dom.js";
import { EditField } from "./edit-field.js";
import { fieldErrors } from "./field-errors.js";
import { Notice } from "./notice.js";

/**
 * Edits some fields of an entity, on the version that was loaded. It is not fetched again meanwhile; when others change
 * it, that is said, and saving on top of a version that nobody here has seen ends in a choice for each field.
 */
export class EditForm {
  #fields;
  #parts;
  #draft = null;
  #isBusy = false;
  #notice = new Notice();
  #save;

  /**
   * @param {object} parts
   * @param {string} parts.id
   * @param {import("./edit-field.js").FieldDescription[]} parts.fields
   * @param {(body: object) => Promise<object>} parts.save Sends it; the answer is the entity.
   * @param {() => Promise<object>} parts.load The entity as it is now.
   * @param {(entity: object) => void} [parts.onSaved]
   * @param {(different: string[], entity: object) => string} parts.describe What others changed, in words.
   * @param {Node[]} [parts.buttons] Beside the one that saves.
   */
  constructor({ id, fields, buttons = [], ...parts }) {
    this.#parts = { ...parts, fields };
    this.#fields = new Map(fields.map((field) => [field.name, this.#makeField(id, field)]));
    const rows = [...this.#fields.values()].map((field) => field.element);
    this.#save = element("button", { type: "submit", class: "primary", "data-testid": `${id}-save`, text: "Save" });
    const footer = element("div", { class: "edit-actions" }, [...buttons, this.#save]);
    this.element = element("form", { class: "edit-form", id, novalidate: true }, [
      this.#notice.element,
      ...rows,
      footer,
    ]);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  #makeField(formId, field) {
    return new EditField(formId, field, {
      onInput: (value) => this.#change(field.name, () => this.#draft.set(field.name, value)),
      onChoose: (side) => this.#change(field.name, () => this.#draft.resolve(field.name, side), true),
    });
  }

  get isDirty() {
    return this.#draft?.isDirty ?? false;
  }

  /** Whether it is being saved. */
  get isBusy() {
    return this.#isBusy;
  }

  /** The version that is edited. */
  get version() {
    return this.#draft?.base.version ?? 0;
  }

  /** Begins with an entity. */
  begin(entity) {
    this.#draft = new Draft(entity, [...this.#fields.keys()]);
    this.#notice.clear();
    for (const field of this.#fields.values()) field.showError("");
    this.#fill();
  }

  /** Somebody else has changed it. */
  tellChanged(text) {
    if (this.#notice.kind !== "conflict") this.#notice.show("changed", text, "Reload", () => this.#reload());
  }

  /** It is not there any more. */
  tellGone(text) {
    this.#notice.show("gone", text);
    this.#draw();
  }

  /** Follows a change that does not touch what is edited. */
  follow(entity) {
    this.#draft.rebase(entity);
    this.#fill();
  }

  // Choosing a side fills the field. Writing does not: what is written stays as it is.
  #change(name, change, fills = false) {
    change();
    this.#fields.get(name).showError("");
    if (fills) this.#fill();
    else this.#draw();
  }

  #fill() {
    for (const [name, field] of this.#fields) {
      field.fill(this.#draft.value(name));
      field.showConflict(this.#draft.conflicts.get(name));
    }
    this.#draw();
  }

  #draw() {
    const { isDirty = false, conflicts = new Map() } = this.#draft ?? {};
    this.#save.disabled = this.#isBusy || this.#notice.kind === "gone" || (!isDirty && conflicts.size === 0);
    setText(this.#save, this.#isBusy ? "Saving…" : this.#notice.kind === "conflict" ? "Save again" : "Save");
  }

  async #reload() {
    const entity = await this.#parts.load().catch((error) => this.#tellTrouble(error));
    if (!entity) return;
    this.#draft.rebase(entity);
    if (this.#draft.conflicts.size > 0) this.#showConflict("What you wrote was changed by somebody else, too.");
    else this.#notice.show("fine", "This is how it is now. What you wrote is still here.");
    this.#fill();
  }

  #showConflict(text) {
    this.#notice.show("conflict", text);
    this.#fill();
    const [name] = this.#draft.conflicts.keys();
    if (name) this.#fields.get(name).focus();
  }

  // Saving.

  async #submit() {
    if (this.#isBusy || this.#save.disabled || this.#hasFaults()) return;
    if (!this.#draft.isDecided) return this.#showConflict("Choose what to keep, then save again.");
    if (!this.#draft.isDirty) return this.#end(this.#draft.base);
    this.#setBusy(true);
    try {
      this.#end(await this.#parts.save(this.#draft.body));
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#setBusy(false);
    }
  }

  #hasFaults() {
    const faulty = [...this.#fields.values()].filter((field) => field.fault);
    for (const field of faulty) field.showError(field.fault);
    faulty[0]?.input.focus();
    return faulty.length > 0;
  }

  #setBusy(isBusy) {
    this.#isBusy = isBusy;
    this.#draw();
  }

  #end(entity) {
    this.begin(entity);
    this.#parts.onSaved?.(entity);
  }

  #refuse(error) {
    if (error.code === "stale_version") this.#collide(error.current);
    else if (error.errors?.length > 0) this.#showErrors(fieldErrors(error.errors, this.#parts.fields));
    else if (error.status === 404) this.tellGone("It has been deleted. There is nothing to save any more.");
    else this.#tellTrouble(error);
  }

  #collide(current) {
    const different = this.#draft.rebase(current);
    const news = this.#parts.describe(different, current);
    const isTouched = this.#draft.conflicts.size > 0;
    const advice = isTouched ? "Choose what to keep, then save" : "That does not touch what you wrote: save";
    this.#showConflict(`Not saved: somebody else was faster. ${news} ${advice} again.`);
  }

  #showErrors(errors) {
    for (const [name, text] of errors) this.#fields.get(name)?.showError(text);
    const other = [...errors].filter(([name]) => !this.#fields.has(name)).map(([, text]) => text);
    if (other.length > 0) this.#notice.show("trouble", other.join(" "));
    const [first] = [...this.#fields].filter(([name]) => errors.has(name));
    first?.[1].input.focus();
  }

  #tellTrouble(error) {
    this.#notice.show("trouble", `${error.message} What you wrote is still here.`);
  }
}
