// What a client is made with.

import { LONGEST_TIME } from "./wire.js";

const DEFAULT_PATH = "/ws/broadcast";

/** The subprotocols of the dialects that the client speaks, the better one first. */
const DIALECTS = ["tidings.v1", "tidings.plain"];

const defaults = () => ({
  url: DEFAULT_PATH,
  token: null,
  dialects: DIALECTS,
  backoffBase: 500,
  backoffMax: 20_000,
  maxAttempts: Infinity,
  connectTimeout: 10_000,
  heartbeatInterval: 25_000,
  heartbeatTimeout: 10_000,
  debug: false,
  WebSocket: globalThis.WebSocket,
  random: () => Math.random(),
  now: () => Date.now(),
  setTimeout: (action, ms) => globalThis.setTimeout(action, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
  network: typeof globalThis.addEventListener === "function" ? globalThis : null,
  reportError: (error) => (globalThis.reportError ?? console.error)(error),
});

/** What other clients call the same. */
const OTHER_NAMES = {
  maxReconnectAttempts: "maxAttempts",
  reconnectDelay: "backoffBase",
  reconnectInterval: "backoffBase",
  reconnectMaxInterval: "backoffMax",
};

const RANGES = {
  backoffBase: [0, LONGEST_TIME],
  backoffMax: [0, LONGEST_TIME],
  maxAttempts: [0, Infinity],
  connectTimeout: [1, LONGEST_TIME],
  heartbeatInterval: [1, LONGEST_TIME],
  heartbeatTimeout: [1, LONGEST_TIME],
};

/**
 * The options with the defaults in place of what is missing. An option under its own name counts for more than one
 * under another name.
 *
 * @param {object} given
 * @returns {object}
 * @throws {RangeError} If a number is out of range or a dialect unknown.
 */
export function completeOptions(given) {
  const { reconnect, ...named } = withoutUndefined(given);
  const renamed = {};
  for (const [other, name] of Object.entries(OTHER_NAMES)) {
    if (other in named) renamed[name] ??= named[other];
    delete named[other];
  }
  const options = { ...defaults(), ...renamed, ...named };
  if (reconnect === false) options.maxAttempts = 0;
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = options[name];
    if (!(value >= least && value <= most)) throw new RangeError(`${name} must be from ${least} to ${most}.`);
  }
  if (!options.dialects.every((dialect) => DIALECTS.includes(dialect))) {
    throw new RangeError(`The dialects are ${DIALECTS.join(" and ")}.`);
  }
  return options;
}

function withoutUndefined(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/**
 * The address of a WebSocket, relative to the page. `http` and `https` stand for `ws` and `wss`.
 *
 * @param {string | URL} url
 * @returns {string}
 */
export function webSocketAddress(url) {
  const address = new URL(url, globalThis.location?.href);
  if (address.protocol === "http:") address.protocol = "ws:";
  if (address.protocol === "https:") address.protocol = "wss:";
  address.hash = "";
  return address.href;
}
