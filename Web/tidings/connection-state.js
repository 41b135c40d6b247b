// The life of a connection as a value: `step` takes a state and what happened and returns the next state and what is to
// be done. No socket, clock or chance in here; the client carries the effects out and reports back.
//
// phase    meaning                                            goes to
// idle     not wanted                                         opening
// opening  an attempt is under way                            open, waiting, failed, idle
// open     the WebSocket is open                              waiting, failed, idle
// waiting  the next attempt starts when the backoff ends      opening, idle
// failed   given up until the application connects again      opening, idle
//
// Every state carries `resuming`: whether events may have been missed before the next connection is open.
// `retries` counts the backoffs since a connection was up. `longest` means that backoffs begin at the longest.

import { closeAdvice } from "./wire.js";

/** The state of a client that has not been asked to connect. */
export const idle = Object.freeze({ phase: "idle", resuming: false });

/** Sent to the server when it did not answer a ping in time. */
const NO_HEARTBEAT = 4002;
const NORMAL = 1000;

/**
 * The next state, and what is to be done, in this order.
 *
 * Inputs: `connect`, `disconnect`, `online`, `opened`, `closed` (code, reason), `unopenable` (message), `pinged`,
 * `pong` (value), and `timer:opening`, `timer:backoff`, `timer:heartbeat`, `timer:answer` when that timer ran out.
 * An input that means nothing in a state changes nothing, so a late one does no harm.
 *
 * Effects: `open` a socket, `drop` it with a code and hear no more of it, `start` a timer for `ms` or for a random time
 * `upTo` some milliseconds (in place of one with that name), `stop` one timer or all, `probe` (send what is due, and a
 * ping with it).
 *
 * @param {object} state
 * @param {{type: string}} input
 * @param {object} options backoffBase, backoffMax, maxAttempts, connectTimeout, heartbeatInterval, heartbeatTimeout.
 * @returns {{state: object, effects: object[]}}
 */
export function step(state, input, options) {
  const rule = rules[state.phase][input.type];
  return rule ? rule(state, input, options) : { state, effects: [] };
}

/**
 * What an application sees of a state: connecting, connected, reconnecting, disconnected or failed.
 *
 * @param {object} state
 * @returns {string}
 */
export function visibleState(state) {
  switch (state.phase) {
    case "opening":
      return state.retrying ? "reconnecting" : "connecting";
    case "open":
      return "connected";
    case "waiting":
      return "reconnecting";
    case "failed":
      return "failed";
    default:
      return "disconnected";
  }
}

const rules = {
  idle: {
    connect: begin,
  },
  opening: {
    disconnect,
    opened,
    closed,
    unopenable,
    "timer:opening": (state, _, options) => lose(state, options, [{ type: "drop", code: NORMAL }]),
  },
  open: {
    disconnect,
    closed,
    pinged,
    pong,
    online: (state) => ({ state, effects: isAnswered(state) ? [{ type: "probe" }] : [] }),
    "timer:heartbeat": (state) => ({ state, effects: [{ type: "probe" }] }),
    "timer:answer": (state, _, options) => lose(state, options, [{ type: "drop", code: NO_HEARTBEAT }]),
  },
  waiting: {
    disconnect,
    connect: retry,
    online: (state, input, options) => retry({ ...state, retries: 0, longest: false }, input, options),
    "timer:backoff": retry,
  },
  failed: {
    connect: begin,
    disconnect,
  },
};

function begin({ resuming }, _, options) {
  return open({ phase: "opening", resuming, retrying: false, retries: 0, longest: false }, options);
}

function retry({ resuming, retries, longest }, _, options) {
  return open({ phase: "opening", resuming, retrying: true, retries, longest }, options);
}

// The timer starts first: a socket that cannot be made at all reports so while it is being opened.
function open(state, options) {
  return {
    state,
    effects: [{ type: "stop" }, { type: "start", timer: "opening", ms: options.connectTimeout }, { type: "open" }],
  };
}

function disconnect() {
  return {
    state: { phase: "idle", resuming: true },
    effects: [{ type: "stop" }, { type: "drop", code: NORMAL }],
  };
}

function opened({ resuming, retries, longest }) {
  return {
    state: { phase: "open", resuming, retries, longest, sent: 0, answered: 0 },
    effects: [{ type: "stop" }, { type: "probe" }],
  };
}

function pinged(state, _, options) {
  const effects = [{ type: "start", timer: "heartbeat", ms: options.heartbeatInterval }];
  if (isAnswered(state)) effects.push({ type: "start", timer: "answer", ms: options.heartbeatTimeout });
  return { state: { ...state, sent: state.sent + 1 }, effects };
}

// Only an answer shows that a connection is up: a server that accepts and closes at once must see longer backoffs too.
function pong(state, { value }, options) {
  if (value <= state.answered || value > state.sent) return { state, effects: [] };
  const next = { ...state, answered: value, retries: 0, longest: false };
  const effect = isAnswered(next)
    ? { type: "stop", timer: "answer" }
    : { type: "start", timer: "answer", ms: options.heartbeatTimeout };
  return { state: next, effects: [effect] };
}

function isAnswered({ sent, answered }) {
  return answered === sent;
}

function closed(state, { code, reason }, options) {
  const advice = closeAdvice(code, true);
  switch (advice) {
    case "report":
    case "await_token":
    case "stay_away":
      return fail({ reason: advice, code, message: reason || `The server closed the connection with code ${code}.` });
    case "reconnect_longest":
      return lose({ ...state, longest: true }, options);
    default:
      return lose(state, options);
  }
}

function unopenable(_, { message }) {
  return fail({ reason: "unopenable", code: null, message });
}

function lose({ retries, longest }, options, effects = []) {
  if (retries >= options.maxAttempts) {
    const message = `No connection after ${retries} attempts to reconnect.`;
    return fail({ reason: "attempts_exhausted", code: null, message }, effects);
  }
  const upTo = longest ? options.backoffMax : Math.min(options.backoffMax, options.backoffBase * 2 ** retries);
  return {
    state: { phase: "waiting", resuming: true, retries: retries + 1, longest },
    effects: [...effects, { type: "stop" }, { type: "start", timer: "backoff", upTo }],
  };
}

function fail(failure, effects = []) {
  return {
    state: { phase: "failed", resuming: true, failure: Object.freeze(failure) },
    effects: [...effects, { type: "stop" }],
  };
}
