import { element, setAttribute, setText } from "./dom.js";

/**
 * @typedef {object} FieldDescription
 * @property {string} name In the entity.
 * @property {string} label
 * @property {(value: unknown) => string} text What stands in the field.
 * @property {(text: string) => unknown} value What that means to the entity.
 * @property {(value: unknown) => string} [shown] How people say it; by default its text.
 * @property {(value: unknown) => string | null} [fault] What is wrong with it, where the server need not be asked.
 * @property {Record<string, string>} [faults] What is said in other words than the server's, by the server's codes.
 * @property {object} [attributes] Of the input.
 * @property {boolean} [isLong]
 */

/** A field with its label, what is wrong with it, and the choice where it was changed elsewhere too. */
export class EditField {
  #description;
  #onInput;
  #onChoose;
  #error;
  #conflict;

  /**
   * @param {string} formId
   * @param {FieldDescription} description
   * @param {{onInput: (value: unknown) => void, onChoose: (choice: "mine" | "theirs") => void}} listeners
   */
  constructor(formId, description, { onInput, onChoose }) {
    const { name, label, attributes, isLong } = description;
    const id = `${formId}-${name}`;
    this.#description = description;
    this.#onInput = onInput;
    this.#onChoose = onChoose;
    this.input = element(isLong ? "textarea" : "input", {
      id,
      name,
      autocomplete: "off",
      "data-testid": id,
      "aria-describedby": `${id}-error`,
      ...attributes,
    });
    this.input.addEventListener("input", () => this.#onInput(description.value(this.input.value)));
    this.#error = element("p", { id: `${id}-error`, class: "hint error", role: "status" });
    this.#conflict = element("fieldset", { class: "conflict", "aria-label": `${label}: theirs or mine`, hidden: true });
    const children = [element("label", { for: id, text: label }), this.input, this.#error, this.#conflict];
    this.element = element("div", { class: "edit-field" }, children);
  }

  get fault() {
    return this.#description.fault?.(this.#description.value(this.input.value)) ?? null;
  }

  /** Puts a value into the field. What means the same stays as it was written. */
  fill(value) {
    const { text, value: meaning } = this.#description;
    if (!Object.is(meaning(this.input.value), value)) this.input.value = text(value);
  }

  showError(text) {
    setText(this.#error, text);
    setAttribute(this.input, "aria-invalid", text !== "");
  }

  /** @param {import("./draft.js").Conflict | undefined} conflict */
  showConflict(conflict) {
    this.#conflict.hidden = !conflict;
    if (!conflict) return this.#conflict.replaceChildren();
    this.#conflict.replaceChildren(
      element("legend", { text: "Somebody else changed this, too" }),
      this.#option("theirs", "Take theirs", conflict),
      this.#option("mine", "Keep mine", conflict),
    );
  }

  #option(side, label, conflict) {
    const { name, shown, text } = this.#description;
    const input = element("input", { type: "radio", name: `conflict-${name}`, value: side, "data-testid": side });
    input.checked = conflict.choice === side;
    input.addEventListener("change", () => this.#onChoose(side));
    const value = (shown ?? text)(conflict[side]);
    return element("label", { class: "side" }, [
      element("span", { class: "side-head" }, [input, label]),
      element("span", { class: value ? "side-value" : "side-value none", text: value || "nothing" }),
    ]);
  }

  /** Where the eye and the focus go. */
  focus() {
    const choice = this.#conflict.querySelector("input");
    (choice ?? this.input).focus();
  }
}
