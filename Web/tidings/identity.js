// Who the client is: where its tokens come from, and when it needs another one.

// A subprotocol is a token in the sense of RFC 9110 §5.6.2. A JSON Web Token has no other characters.
const SENDABLE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A fresh token is asked for this long before the old one expires. */
const AHEAD = 30_000;

/** Of a short life, this part has passed. */
const PART_OF_LIFE = 0.8;

/** An application that has no other token yet is not asked more often. */
const SHORTEST_WAIT = 1_000;

/**
 * When to ask for a fresh token.
 *
 * @param {number} remaining For how many milliseconds the token in use is still good.
 * @returns {number | null} In how many milliseconds; null if it is too late for this connection: the server closes it.
 */
export function refreshDelay(remaining) {
  if (!(remaining > SHORTEST_WAIT)) return null;
  return Math.max(SHORTEST_WAIT, PART_OF_LIFE * remaining, remaining - AHEAD);
}

/**
 * When a JSON Web Token expires, as it says itself (RFC 7519 §4.1.4). The server's word counts for more.
 *
 * @param {string} token
 * @returns {number | null} Milliseconds since 1970, or null if it does not say.
 */
export function expiryOf(token) {
  try {
    const { exp } = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return Number.isFinite(exp) ? exp * 1_000 : null;
  } catch {
    return null;
  }
}

/** Asks the application for tokens, and remembers which one is in use and which one the server refused. */
export class TokenSource {
  #option;
  #pending = null;
  #refused = null;

  /** The token that the server was last given; null without one. @type {string | null} */
  current = null;

  /**
   * @param {string | null | ((reason: string) => string | null | Promise<string | null>)} option
   * @throws {TypeError} If it can never give a token.
   */
  constructor(option) {
    this.#option = option;
    if (typeof option !== "function") checked(option);
  }

  /** Whether there is an application to ask. */
  get isFunction() {
    return typeof this.#option === "function";
  }

  /**
   * The token of now. The application is asked once at a time: while it thinks, everybody waits for the same answer.
   *
   * @param {"connect" | "refresh" | "expired" | "refused"} reason
   * @returns {string | null | Promise<string | null>} A promise only if the application gives one.
   * @throws {TypeError} Or whatever the application throws.
   */
  ask(reason) {
    if (!this.isFunction) return checked(this.#option);
    if (this.#pending) return this.#pending;
    const answer = this.#option(reason);
    if (typeof answer?.then !== "function") return checked(answer);
    const pending = Promise.resolve(answer).then(checked);
    this.#pending = pending;
    const forget = () => {
      if (this.#pending === pending) this.#pending = null;
    };
    pending.then(forget, forget);
    return pending;
  }

  /** The server refused the token in use. */
  refuse() {
    this.#refused = { token: this.current };
  }

  /** Whether the server refused this token last. */
  isRefused(token) {
    return this.#refused !== null && this.#refused.token === token;
  }

  /** Nobody waits for the answer that is under way, and it may never come: the next time, the question is put again. */
  abandon() {
    this.#pending = null;
  }

  /** Starts afresh: the next token may be that of somebody else. */
  reset() {
    this.abandon();
    this.#refused = null;
    this.current = null;
  }
}

// The messages say nothing of the token: they end up in logs.
function checked(token) {
  if (token === null || token === undefined || token === "") return null;
  if (typeof token !== "string") throw new TypeError("A token must be a string.");
  if (!SENDABLE.test(token)) throw new TypeError("The token has characters that no WebSocket's subprotocol has.");
  return token;
}
