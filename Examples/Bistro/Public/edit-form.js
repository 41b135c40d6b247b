import { Draft } from "./draft.js";
import { element, setText } from "./dom.js";
import { EditFields } from "./edit-fields.js";
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
    this.#fields = new EditFields(id, fields, {
      onInput: (name, value) => this.#write(name, value),
      onChoose: (name, side) => this.#resolve(name, side),
    });
    this.#save = element("button", { type: "submit", class: "primary", "data-testid": `${id}-save`, text: "Save" });
    const footer = element("div", { class: "edit-actions" }, [...buttons, this.#save]);
    this.element = element("form", { class: "edit-form", id, novalidate: true }, [
      this.#notice.element,
      ...this.#fields.elements,
      footer,
    ]);
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  get isDirty() {
    return this.#draft?.isDirty ?? false;
  }

  /** Whether it is being saved. */
  get isBusy() {
    return this.#isBusy;
  }

  /** What is edited, as it was loaded; null before that. */
  get base() {
    return this.#draft?.base ?? null;
  }

  /** Begins with an entity. */
  begin(entity) {
    this.#draft = new Draft(entity, this.#fields.names);
    this.#notice.clear();
    this.#fields.clearErrors();
    this.#fill();
  }

  /** Somebody else has changed it. */
  tellChanged(text) {
    this.#notice.show("changed", text, "Reload", () => this.#reload());
    this.#draw();
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

  // What is written stays as it was written.
  #write(name, value) {
    this.#draft.set(name, value);
    this.#fields.clearErrors([name]);
    this.#draw();
  }

  // Choosing a side fills the field.
  #resolve(name, side) {
    this.#draft.resolve(name, side);
    this.#fields.clearErrors([name]);
    this.#fill();
  }

  #fill() {
    this.#fields.fill(this.#draft);
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
    else this.#notice.show("fine", `This is how it is now.${this.isDirty ? " What you wrote is still here." : ""}`);
    this.#fill();
  }

  #showConflict(text) {
    this.#notice.show("conflict", text);
    this.#fill();
    const [name] = this.#draft.conflicts.keys();
    if (name) this.#fields.focus(name);
  }

  // Saving.

  async #submit() {
    if (this.#isBusy || this.#save.disabled) return;
    const { faults } = this.#fields;
    if (faults.size > 0) return this.#showErrors(faults);
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
    this.#showConflict(["Not saved: somebody else was faster.", news, `${advice} again.`].filter(Boolean).join(" "));
  }

  #showErrors(errors) {
    const other = this.#fields.showErrors(errors);
    if (other) this.#notice.show("trouble", other);
  }

  #tellTrouble(error) {
    this.#notice.show("trouble", `${error.message} What you wrote is still here.`);
  }
}
