// The extended dialect of the wire protocol, `tidings.v1`, as a pure function.

import { parsePosition } from "./position.js";
import { isObject, isValidChannel, LONGEST_TIME, parse } from "./wire.js";

const LONGEST_IDENTIFIER = 64;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * What a frame of the extended dialect from the server means.
 *
 * Never throws. What a later version has added is left out, and so is what cannot be read of a reply.
 *
 * | type | members |
 * |---|---|
 * | `welcome` | `connection`, `server`, `heartbeat_ms`; `authenticated` if the connection came with a token |
 * | `draining` | `reconnect_within_ms` |
 * | `event` | `channel`, `event`, `payload`, `position`, `spread_ms` |
 * | `reply` | `id`, `subscribed`, `refused`, `unsubscribed`, `published`, `authenticated`, `pong` |
 * | `error` | `id`, `code`, `message`, `channel` |
 *
 * Positions are text. Times are RFC 3339 in UTC. What is not told is null.
 *
 * @param {unknown} text The data of a WebSocket message.
 * @returns {object | null} Null for a frame that a client must ignore.
 */
export function decodeExtendedMessage(text) {
  const frame = parse(text);
  if (!isObject(frame)) return null;
  const event = decodeEvent(frame) ?? decodeError(frame);
  if (event) return event;
  if (isObject(frame.welcome)) return decodeWelcome(frame.welcome);
  if (isObject(frame.draining)) return decodeDraining(frame.draining);
  return decodeReply(frame);
}

function decodeEvent({ channel, event, payload, position, spread_ms: spread }) {
  if (!isValidChannel(channel) || !isValidChannel(event) || !isObject(payload)) return null;
  return { type: "event", channel, event, payload, position: positionText(position), spread_ms: milliseconds(spread) };
}

function decodeError({ id, error }) {
  if (!isObject(error) || typeof error.code !== "string") return null;
  const channel = typeof error.channel === "string" ? error.channel : null;
  return { type: "error", id: identifier(id), code: error.code, message: textOf(error.message), channel };
}

function decodeWelcome({ connection, server, heartbeat_ms: heartbeat, authenticated }) {
  const interval = milliseconds(heartbeat);
  if (typeof connection !== "string" || typeof server !== "string" || interval === null) return null;
  const welcome = { type: "welcome", connection, server, heartbeat_ms: interval };
  return isObject(authenticated) ? { ...welcome, authenticated: decodeAuthenticated(authenticated) } : welcome;
}

function decodeDraining({ reconnect_within_ms: within }) {
  const time = milliseconds(within);
  return time === null ? null : { type: "draining", reconnect_within_ms: time };
}

const REPLY_TO = ["subscribed", "refused", "unsubscribed", "published", "authenticated", "pong"];

function decodeReply(frame) {
  const reply = {
    type: "reply",
    id: identifier(frame.id),
    subscribed: members(frame.subscribed).filter(([channel]) => isValidChannel(channel)).map(decodeSubscribed),
    refused: members(frame.errors).filter(([, error]) => typeof error.code === "string").map(decodeRefused),
    unsubscribed: Array.isArray(frame.unsubscribed) ? frame.unsubscribed.filter(isValidChannel) : [],
    published: isObject(frame.published) ? positionText(frame.published.position) : null,
    authenticated: isObject(frame.authenticated) ? decodeAuthenticated(frame.authenticated) : null,
    pong: Number.isInteger(frame.pong) ? frame.pong : null,
  };
  // Nothing of it was understood: a message of a later version. The reply to a request for nothing is just as empty.
  const isEmpty = reply.id === null && REPLY_TO.every((key) => reply[key] === null || reply[key].length === 0);
  return isEmpty && Object.keys(frame).length > 0 ? null : reply;
}

function decodeSubscribed([channel, { position, recovered, spread_ms: spread }]) {
  const wasRecovered = recovered === true;
  return { channel, position: positionText(position), recovered: wasRecovered, spread_ms: milliseconds(spread) };
}

function decodeRefused([channel, { code, message }]) {
  return { code, message: textOf(message), channel };
}

function decodeAuthenticated({ subject, expires_at: expiry }) {
  return { subject: typeof subject === "string" ? subject : null, expires_at: time(expiry) };
}

/** The members of an object that are objects themselves. */
function members(value) {
  return isObject(value) ? Object.entries(value).filter(([, member]) => isObject(member)) : [];
}

function identifier(value) {
  if (typeof value === "string" && value.length <= LONGEST_IDENTIFIER) return value;
  return Number.isInteger(value) ? value : null;
}

function positionText(value) {
  return parsePosition(value)?.text ?? null;
}

function milliseconds(value) {
  return Number.isInteger(value) && value >= 0 ? Math.min(value, LONGEST_TIME) : null;
}

function time(value) {
  if (typeof value !== "string" || !TIME.test(value.toUpperCase())) return null;
  const moment = Date.parse(value.toUpperCase());
  return Number.isNaN(moment) ? null : new Date(moment).toISOString();
}

function textOf(value) {
  return typeof value === "string" ? value : "";
}
