// The wire protocol as pure functions: the plain dialect, and what all dialects have in common.

const encoder = new TextEncoder();

/** The most bytes of UTF-8 that a channel's name has. */
const MAXIMUM_CHANNEL_BYTES = 255;

/** Half of what a server takes as one message: room for everything that a client adds to a list of channels. */
const MAXIMUM_MESSAGE_BYTES = 32 * 1024;

/** The most channels that one message names. Well below what a server allows, and its reply stays small. */
const MAXIMUM_MESSAGE_CHANNELS = 100;

/** The longest time of the wire, and of a browser's timer: it takes a longer one for none at all. */
export const LONGEST_TIME = 2 ** 31 - 1;

// A lone surrogate (Cs) cannot be written in UTF-8.
const FORBIDDEN_IN_CHANNELS = /[\p{Cc}\p{Cs}\p{White_Space}]/u;

/**
 * Whether a value is the name of a channel: a string of 1 to 255 bytes of UTF-8 without control characters and without
 * white space, in any script.
 *
 * @param {unknown} name
 * @returns {boolean}
 */
export function isValidChannel(name) {
  if (typeof name !== "string" || name.length === 0 || name.length > MAXIMUM_CHANNEL_BYTES) return false;
  return !FORBIDDEN_IN_CHANNELS.test(name) && encoder.encode(name).length <= MAXIMUM_CHANNEL_BYTES;
}

/**
 * What a frame from the server means.
 *
 * Never throws. Integers beyond 2^53 lose precision, as everywhere in JavaScript.
 *
 * @param {unknown} text The data of a WebSocket message.
 * @returns {object | null} `{type: "event", channel, event, payload}`, `{type: "pong", value}`,
 *   `{type: "error", code, message, channel}` (`channel` is null when the error is about none), or null for a frame
 *   that a client must ignore: one that is damaged, or of a later version.
 */
export function decodeServerMessage(text) {
  const frame = parse(text);
  if (!isObject(frame)) return null;
  return decodeEvent(frame) ?? decodePong(frame) ?? decodeError(frame);
}

/** The JSON value of a text; null for what is no text or no JSON. */
export function parse(text) {
  if (typeof text !== "string") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Whether a JSON value is an object. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decodeEvent({ channel, event, payload }) {
  if (typeof channel !== "string" || typeof event !== "string" || !isObject(payload)) return null;
  return { type: "event", channel, event, payload };
}

function decodePong({ pong }) {
  return Number.isInteger(pong) ? { type: "pong", value: pong } : null;
}

function decodeError({ error }) {
  if (!isObject(error) || typeof error.code !== "string") return null;
  return {
    type: "error",
    code: error.code,
    message: typeof error.message === "string" ? error.message : "",
    channel: typeof error.channel === "string" ? error.channel : null,
  };
}

/**
 * What a client does after its connection ended.
 *
 * | advice | meaning |
 * |---|---|
 * | `reconnect` | reconnect after a backoff |
 * | `reconnect_announced` | within the time that a draining server announced, else after a backoff |
 * | `reconnect_resuming` | with the last positions |
 * | `reconnect_longest` | starting at the longest backoff |
 * | `refresh_token` | get a new token, then reconnect |
 * | `await_token` | stay away until there is a new token |
 * | `stay_away` | stay away until told otherwise |
 * | `report` | stay away and tell the application: one of the two sides is broken |
 *
 * @param {number} code The close code (RFC 6455 §7.4). 1005 stands for "none", 1006 for "lost".
 * @param {boolean} [sentByServer] False when this client asked for the close. A connection that was lost counts as
 *   closed by the server.
 * @returns {string} One of the above.
 */
export function closeAdvice(code, sentByServer = true) {
  if (code === 1000) return sentByServer ? "reconnect" : "stay_away";
  if (code >= 4501 && code <= 4999) return "stay_away";
  return ADVICE.get(code) ?? "reconnect";
}

const ADVICE = new Map([
  [1002, "report"],
  [1003, "report"],
  [1007, "report"],
  [1008, "report"],
  [1009, "report"],
  [1010, "report"],
  [4000, "reconnect_announced"],
  [4001, "reconnect_resuming"],
  [4003, "refresh_token"],
  [4004, "reconnect_longest"],
  [4500, "await_token"],
]);

/**
 * A list of channels as messages, none of them near the size or the number of channels that a server refuses.
 *
 * @param {"subscribe" | "unsubscribe"} key
 * @param {Iterable<string>} channels
 * @param {object} [options]
 * @param {(channel: string) => string | null} [options.since] From which position a channel is to be resumed.
 * @param {number} [options.limit] Bytes of one message.
 * @returns {object[]} No message for no channels. `since` is there only where it says something.
 */
export function channelMessages(key, channels, { since = () => null, limit = MAXIMUM_MESSAGE_BYTES } = {}) {
  const parts = [];
  let room = 0;
  for (const channel of channels) {
    const position = since(channel);
    const name = encoder.encode(JSON.stringify(channel)).length + 1;
    const size = position === null ? name : 2 * name + position.length + 3;
    if (parts.length === 0 || size > room || parts.at(-1).names.length === MAXIMUM_MESSAGE_CHANNELS) {
      parts.push({ names: [], positions: [] });
      room = limit - key.length - (position === null ? 6 : 6 + EMPTY_SINCE);
    }
    const { names, positions } = parts.at(-1);
    if (position !== null && positions.length === 0 && names.length > 0) room -= EMPTY_SINCE;
    names.push(channel);
    if (position !== null) positions.push([channel, position]);
    room -= size;
  }
  // Made of entries: a channel may have any name, also that of a member that each object has.
  return parts.map(({ names, positions }) =>
    positions.length === 0 ? { [key]: names } : { [key]: names, since: Object.fromEntries(positions) },
  );
}

const EMPTY_SINCE = ',"since":{}'.length;
