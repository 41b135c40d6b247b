/**
 * What is wrong with fields, by the fields' names.
 *
 * @param {{pointer: string, code: string, message: string}[]} errors Those of an answer. A pointer (RFC 6901) into a
 *   field counts for the field; what the server says follows the field's name: "has 1–20 characters".
 * @param {{name: string, label: string, faults?: Record<string, string>}[]} fields What they are called, and what is
 *   said of them in other words than the server's, by code.
 * @returns {Map<string, string>} Sentences; under an empty name what is wrong with everything.
 */
export function fieldErrors(errors, fields) {
  const found = new Map();
  for (const { pointer, code, message } of errors) {
    const name = (pointer.split("/")[1] ?? "").replaceAll("~1", "/").replaceAll("~0", "~");
    const field = fields.find((each) => each.name === name);
    const text = field?.faults?.[code] ?? sentence(`${field?.label ?? name} ${message}`.trim());
    found.set(name, [found.get(name), text].filter(Boolean).join(" "));
  }
  return found;
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
