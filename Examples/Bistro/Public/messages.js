// Why a change was taken back, for people.

import { orderName, statusName } from "./format.js";

const WISHES = {
  create: (value) => `The order for ${orderName(value)} was not opened`,
  addItem: ({ name, quantity }) => `${quantity} × ${name} was not added`,
  changeItem: () => "The quantity was not changed",
  removeItem: () => "The dish was not removed",
  patch: () => "Your change was taken back",
};

/**
 * @param {import("./api-error.js").ApiError} error
 * @param {import("./changes.js").Change} change
 * @param {object | null} entity What the server says it is now.
 */
export function refusal(error, { kind, value }, entity) {
  const wish = WISHES[kind](value);
  const order = entity?.table ? orderName(entity) : null;
  if (error.code === "illegal_transition" && order) {
    return `${order} is ${statusName(error.state).toLowerCase()} by now. ${wish}.`;
  }
  if (error.code === "stale_version") return `Somebody else was faster. ${wish}; this is how it is now.`;
  if (error.status === 404) return `It is not there any more. ${wish}.`;
  const details = error.errors?.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join("; ");
  const reason = details ? `${details}.` : error.message;
  return `${order && kind !== "create" ? `${order}: ` : ""}${wish}. ${reason}`;
}
