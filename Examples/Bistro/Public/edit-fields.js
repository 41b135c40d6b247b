import { EditField } from "./edit-field.js";

/** The fields of a form. */
export class EditFields {
  /** @type {Map<string, EditField>} */
  #fields;

  /**
   * @param {string} formId
   * @param {import("./edit-field.js").FieldDescription[]} descriptions
   * @param {object} listeners
   * @param {(name: string, value: unknown) => void} listeners.onInput
   * @param {(name: string, choice: "mine" | "theirs") => void} listeners.onChoose
   */
  constructor(formId, descriptions, { onInput, onChoose }) {
    const make = (description) => {
      const { name } = description;
      const listeners = { onInput: (value) => onInput(name, value), onChoose: (choice) => onChoose(name, choice) };
      return [name, new EditField(formId, description, listeners)];
    };
    this.#fields = new Map(descriptions.map(make));
  }

  get names() {
    return [...this.#fields.keys()];
  }

  get elements() {
    return [...this.#fields.values()].map(({ element }) => element);
  }

  /** Shows a draft: what is written, and what has to be decided. @param {import("./draft.js").Draft} draft */
  fill(draft) {
    for (const [name, field] of this.#fields) {
      field.fill(draft.value(name));
      field.showConflict(draft.conflicts.get(name));
    }
  }

  focus(name) {
    this.#fields.get(name)?.focus();
  }

  /** Nothing is wrong with a field, or with any. */
  clearErrors(names = this.names) {
    for (const name of names) this.#fields.get(name).showError("");
  }

  /**
   * Shows what is wrong, and leads to the first of it.
   *
   * @param {Map<string, string>} errors By field.
   * @returns {string} What is wrong with something else.
   */
  showErrors(errors) {
    const faulty = this.names.filter((name) => errors.has(name));
    for (const name of faulty) this.#fields.get(name).showError(errors.get(name));
    if (faulty.length > 0) this.#fields.get(faulty[0]).input.focus();
    return [...errors].filter(([name]) => !this.#fields.has(name)).map(([, text]) => text).join(" ");
  }

  /** What is wrong, as far as the server need not be asked. @returns {Map<string, string>} */
  get faults() {
    return new Map([...this.#fields].map(([name, { fault }]) => [name, fault]).filter(([, fault]) => fault !== null));
  }
}
