// The server's HTTP interface.

import { ApiError } from "./api-error.js";

const PATIENCE = 15_000;

/**
 * @typedef {object} Answer
 * @property {object | null} content
 * @property {string | null} position Up to where it takes events into account, or where a change's own event is.
 * @property {number | null} version Of the entity that was read or changed; of its parent, for a child.
 */

/** Reads something. @returns {Promise<Answer>} */
export const read = (path) => send(path, { method: "GET" });

/**
 * Changes something.
 *
 * @param {string} id The name of the change. Sent again with the same name, it is made once; and its events have it, so
 *   that they can be told from those of others.
 * @returns {Promise<Answer>}
 */
export function change(id, { method, path, body }) {
  const headers = { "Idempotency-Key": id, "X-Mutation-ID": id };
  if (body) headers["Content-Type"] = "application/json";
  return send(path, { method, headers, body: body && JSON.stringify(body) });
}

async function send(path, { headers, ...options }) {
  const all = { Accept: "application/json", ...headers };
  const response = await attempt(path, { ...options, headers: all, cache: "no-store" });
  const content = response.status === 204 ? null : await response.json().catch(() => undefined);
  if (!response.ok || content === undefined) throw failure(response.status, content);
  return {
    content,
    position: response.headers.get("Tidings-Position"),
    version: Number(/^"(\d+)"$/.exec(response.headers.get("ETag") ?? "")?.[1]) || null,
  };
}

async function attempt(path, options) {
  try {
    return await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch (cause) {
    const isLate = cause.name === "TimeoutError";
    throw new ApiError(isLate ? "The server takes too long to answer." : "The server cannot be reached.", { cause });
  }
}

// RFC 9457: `detail` speaks of this occurrence, `title` of its kind.
function failure(status, problem) {
  const said = [problem?.detail, problem?.title].find((text) => typeof text === "string" && text !== "");
  return new ApiError(said ?? `The server answered ${status}, and nothing that makes sense.`, { ...problem, status });
}
