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
//
// Requests of an open connection are numbered from 1. `sent` is the newest number, `awaited` those without an answer in
// their order, `doubtful` the newest of those that the server may have ignored because they came too fast.

import { closeAdvice, LONGEST_TIME } from "./wire.js";

/** The state of a client that has not been asked to connect. */
export const idle = Object.freeze({ phase: "idle", resuming: false });

/** Sent to the server when it did not answer in time. */
const NO_HEARTBEAT = 4002;
const NORMAL = 1000;

const NOT_AUTHENTICATED = 4500;

/** However often a server says that it speaks, it is not asked more often than this. */
const SHORTEST_HEARTBEAT = 1_000;

/** The first wait, at the longest, of a client that the server called too fast. */
const FIRST_PAUSE = 2_000;

/**
 * The next state, and what is to be done, in this order.
 *
 * Inputs:
 * - of the application: `connect`, `disconnect`
 * - of the device: `online`
 * - of an attempt: `tokenless` (message: the application has no token), `same_token` (it has none but the one that the
 *   server refused), `unopenable` (message), `opened`, `closed` (code, reason)
 * - of an open connection: `asked` (upTo: requests up to that number were sent), `answered` (value; cumulative if that
 *   answers all before it too), `limited` (the server called the client too fast), `welcome` (heartbeat), `draining`
 *   (within), `expiry` (ms: how long to wait before a fresh token is needed)
 * - `timer:opening`, `timer:backoff`, `timer:heartbeat`, `timer:answer`, `timer:pause`, `timer:token` when that timer
 *   ran out
 *
 * An input that means nothing in a state changes nothing, so a late one does no harm.
 *
 * Effects: `open` a socket, `drop` it with a code and hear no more of it, `start` a timer for `ms` and a random time
 * `upTo` some milliseconds more (in place of one with that name), `stop` one timer or all, `probe` (send what is due,
 * or else a ping), `ask_again` (for what the server was too busy for, then probe), `renew` the token.
 *
 * @param {object} state
 * @param {{type: string}} input
 * @param {object} options backoffBase, backoffMax, maxAttempts, connectTimeout, heartbeatInterval, heartbeatTimeout,
 *   and hasFreshTokens: whether the application can be asked for another token.
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
    tokenless: (state, { message }, options) => lose(state, options, { message }),
    same_token: sameToken,
    "timer:opening": (state, _, options) => lose(state, options, { effects: [{ type: "drop", code: NORMAL }] }),
  },
  open: {
    disconnect,
    closed,
    asked,
    answered,
    limited,
    welcome,
    draining: (state, { within }) => ({ state: { ...state, announced: within }, effects: [] }),
    expiry: (state, { ms }) => ({ state, effects: [startTimer("token", { ms: Math.min(ms, LONGEST_TIME) })] }),
    online: (state) => ({ state, effects: isAnswered(state) ? [{ type: "probe" }] : [] }),
    "timer:heartbeat": (state) => ({ state, effects: [{ type: "probe" }] }),
    "timer:answer": unanswered,
    "timer:pause": (state) => ({ state: { ...state, pausing: false }, effects: [{ type: "ask_again" }] }),
    "timer:token": (state) => ({ state, effects: [{ type: "renew" }] }),
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

const startTimer = (timer, time) => ({ type: "start", timer, ...time });

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
    effects: [{ type: "stop" }, startTimer("opening", { ms: options.connectTimeout }), { type: "open" }],
  };
}

function disconnect() {
  return {
    state: { phase: "idle", resuming: true },
    effects: [{ type: "stop" }, { type: "drop", code: NORMAL }],
  };
}

function opened({ resuming, retries, longest }, _, options) {
  const connection = { sent: 0, awaited: [], doubtful: 0, interval: options.heartbeatInterval };
  const pauses = { pausing: false, pauses: 0 };
  return {
    state: { phase: "open", resuming, retries, longest, ...connection, ...pauses, announced: null },
    effects: [{ type: "stop" }, { type: "probe" }],
  };
}

// Signs of life.

function asked(state, { upTo }, options) {
  const effects = [startTimer("heartbeat", { ms: state.interval })];
  if (isAnswered(state)) effects.push(startTimer("answer", { ms: options.heartbeatTimeout }));
  const awaited = [...state.awaited];
  for (let number = state.sent + 1; number <= upTo; number++) awaited.push(number);
  return { state: { ...state, sent: upTo, awaited }, effects };
}

// Only an answer shows that a connection is up: a server that accepts and closes at once must see longer backoffs too.
function answered(state, { value, cumulative }, options) {
  if (!state.awaited.includes(value)) return { state, effects: [] };
  // What came too fast has no answer of its own; one to something later shows that it will not come.
  const settled = cumulative ? value : value > state.doubtful ? state.doubtful : 0;
  const awaited = state.awaited.filter((number) => number !== value && number > settled);
  const next = { ...state, awaited, retries: 0, longest: false, pauses: state.pausing ? state.pauses : 0 };
  if (isAnswered(next)) return { state: next, effects: [{ type: "stop", timer: "answer" }] };
  const isNewOldest = awaited[0] !== state.awaited[0];
  return { state: next, effects: isNewOldest ? [startTimer("answer", { ms: options.heartbeatTimeout })] : [] };
}

function unanswered(state, _, options) {
  return lose(state, options, { effects: [{ type: "drop", code: NO_HEARTBEAT }], within: state.announced });
}

function isAnswered({ awaited }) {
  return awaited.length === 0;
}

function welcome(state, { heartbeat }) {
  const interval = Math.max(SHORTEST_HEARTBEAT, heartbeat);
  if (interval >= state.interval) return { state, effects: [] };
  return { state: { ...state, interval }, effects: [startTimer("heartbeat", { ms: interval })] };
}

// A pause that is under way covers what comes too fast meanwhile. The more pauses in a row, the longer.
function limited(state, _, options) {
  const next = { ...state, doubtful: state.sent };
  if (state.pausing) return { state: next, effects: [] };
  const half = Math.min(options.backoffMax, FIRST_PAUSE * 2 ** state.pauses) / 2;
  return {
    state: { ...next, pausing: true, pauses: state.pauses + 1 },
    effects: [startTimer("pause", { ms: half, upTo: half })],
  };
}

// Ends.

function closed(state, { code, reason }, options) {
  const advice = closeAdvice(code, true);
  const message = reason || `The server closed the connection with code ${code}.`;
  switch (advice) {
    case "report":
    case "stay_away":
      return fail({ reason: advice, code, message });
    case "await_token":
      return options.hasFreshTokens
        ? lose(state, options, { failure: { reason: advice, code, message } })
        : fail({ reason: advice, code, message });
    case "reconnect_longest":
      return lose({ ...state, longest: true }, options);
    case "refresh_token":
      return lose(state, options);
    default:
      return lose(state, options, { within: state.announced ?? null });
  }
}

function unopenable(_, { message }) {
  return fail({ reason: "unopenable", code: null, message });
}

function sameToken() {
  const message = "The server refused this token, and there is no other one yet.";
  return fail({ reason: "await_token", code: NOT_AUTHENTICATED, message });
}

// `within` is the time that a draining server announced, `failure` what it is called when there are no attempts left.
function lose({ retries, longest }, options, { effects = [], within = null, message = null, failure = null } = {}) {
  if (retries >= options.maxAttempts) {
    const last = message === null ? "" : ` ${message}`;
    const exhausted = `No connection after ${retries} attempts to reconnect.${last}`;
    return fail(failure ?? { reason: "attempts_exhausted", code: null, message: exhausted }, effects);
  }
  const ceiling = longest ? options.backoffMax : Math.min(options.backoffMax, options.backoffBase * 2 ** retries);
  return {
    state: { phase: "waiting", resuming: true, retries: retries + 1, longest },
    effects: [...effects, { type: "stop" }, startTimer("backoff", { upTo: within ?? ceiling })],
  };
}

function fail(failure, effects = []) {
  return {
    state: { phase: "failed", resuming: true, failure: Object.freeze(failure) },
    effects: [...effects, { type: "stop" }],
  };
}
