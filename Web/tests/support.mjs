// A browser for tests: sockets, time and chance that do what they are told.

import { readFile } from "node:fs/promises";
import { BroadcastClient } from "../tidings.js";

/** The cases of a file in Tests/Vectors. */
export async function vectors(name) {
  const file = new URL(`../../Tests/Vectors/${name}.json`, import.meta.url);
  return JSON.parse(await readFile(file, "utf8")).cases;
}

/** The text of a case: a string, `{repeat, count}` for a long one, or an array of such parts. */
export function textOf(parts) {
  if (Array.isArray(parts)) return parts.map(textOf).join("");
  return typeof parts === "string" ? parts : parts.repeat.repeat(parts.count);
}

/** Time that passes only when it is told to. */
export class ManualClock {
  now = 0;
  #timers = new Map();
  #next = 1;

  setTimeout = (action, ms) => {
    const id = this.#next++;
    this.#timers.set(id, { at: this.now + ms, action });
    return id;
  };

  clearTimeout = (id) => {
    this.#timers.delete(id);
  };

  /** How long each timer still runs, the shortest first. */
  get pending() {
    return [...this.#timers.values()].map(({ at }) => at - this.now).sort((a, b) => a - b);
  }

  /** Lets time pass; timers run out in their order, each at its own moment. */
  advance(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [id, { at, action }] = due;
      this.#timers.delete(id);
      this.now = at;
      action();
    }
    this.now = end;
  }
}

/** A socket whose server is the test. */
export class FakeSocket {
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  readyState = 0;
  protocol = "";
  sent = [];
  closedWith = null;
  /** Whether nothing gets through any more, and neither side knows it yet. */
  isCut = false;

  constructor(url, protocols = []) {
    this.url = url;
    this.protocols = protocols;
  }

  send(text) {
    if (this.readyState !== 1) throw new Error("sent on a socket that is not open");
    this.sent.push(JSON.parse(text));
  }

  close(code) {
    this.closedWith = code;
    this.readyState = 2;
  }

  // What the test does as the server:

  accept(protocol = "") {
    this.readyState = 1;
    this.protocol = protocol;
    this.onopen?.({});
  }

  say(message) {
    if (!this.isCut) this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }

  event(channel, event = "updated", payload = {}, more = {}) {
    this.say({ channel, event, payload, ...more });
  }

  /** Answers the newest ping. */
  pong() {
    this.say({ pong: this.pings.at(-1) });
  }

  lose(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** What the client has said. */
  get pings() {
    return this.sent.map(({ ping }) => ping).filter((ping) => ping !== undefined);
  }

  get subscribed() {
    return this.sent.flatMap(({ subscribe }) => subscribe ?? []);
  }

  get unsubscribed() {
    return this.sent.flatMap(({ unsubscribe }) => unsubscribe ?? []);
  }
}

/** Lets everything run that has been put off to the end of the current turn. */
export async function settle() {
  for (let turn = 0; turn < 12; turn++) await null;
}

/** What time it is in a browser that has just started. */
export const EPOCH = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A token that says when it expires; whose it is and who signed it does not matter to a client. */
export function makeToken(name, expiresIn = null) {
  const claims = expiresIn === null ? { sub: name } : { sub: name, exp: (EPOCH + expiresIn) / 1_000 };
  return ["{}", JSON.stringify(claims), name].map((part) => Buffer.from(part).toString("base64url")).join(".");
}

/** A client in the hands of a test. */
export class World {
  clock = new ManualClock();
  sockets = [];
  states = [];
  errors = [];
  network = new EventTarget();
  chance = 0.5;

  constructor(options = {}) {
    const { sockets } = this;
    this.client = new BroadcastClient({
      url: "ws://bistro.test/ws/broadcast",
      WebSocket: class extends FakeSocket {
        constructor(...values) {
          super(...values);
          sockets.push(this);
        }
      },
      random: () => this.chance,
      setTimeout: this.clock.setTimeout,
      clearTimeout: this.clock.clearTimeout,
      now: () => EPOCH + this.clock.now,
      network: this.network,
      reportError: (error) => this.errors.push(error),
      ...options,
    });
    this.client.onStateChange((state) => this.states.push(state));
  }

  /** The newest socket. */
  get socket() {
    return this.sockets.at(-1);
  }

  /** Connects, and the server answers. */
  async connect() {
    this.client.connect();
    await this.accept();
  }

  /** The server accepts the newest socket and answers its first ping. */
  async accept() {
    this.socket.accept();
    this.socket.pong();
    await settle();
  }

  /** The connection is lost and the next one is up. */
  async reconnect(code = 1006) {
    this.loseAndRetry(code);
    await this.accept();
  }

  /** The connection, or the attempt, is lost, and the next attempt is under way. */
  loseAndRetry(code = 1006) {
    this.socket.lose(code);
    this.clock.advance(this.clock.pending[0]);
  }

  goOnline() {
    this.network.dispatchEvent(new Event("online"));
  }

  /** Subscribes and returns what is heard from then on, with `end` to stop it. */
  listen(channel) {
    const heard = [];
    heard.end = this.client.subscribe(channel, (event) => heard.push(event), {
      onSubscribed: () => heard.push("subscribed"),
    });
    return heard;
  }
}

/**
 * A server of the extended dialect with one log. It knows nobody until it is told to serve a socket, and reads only
 * then.
 */
export class FakeServer {
  epoch = "e1";
  offset = 0;
  events = [];
  /** Channel to the code with which it is refused. */
  refused = new Map();
  /** What was read. */
  requests = [];
  /** All that ever happened. */
  everything = [];
  evictedUpTo = 0;
  /** How many of the next messages come too fast. */
  ignores = 0;
  #sessions = new Map();

  get position() {
    return `${this.epoch}:${this.offset}`;
  }

  /** Something happens on some channels. Who hears them is told, unless the connection is lost. */
  publish(channels, event = "updated", payload = {}) {
    this.offset += 1;
    const happened = { offset: this.offset, channels, event, payload };
    this.events.push(happened);
    this.everything.push(happened);
    for (const [socket, session] of this.#sessions) {
      for (const channel of channels) if (session.held.has(channel)) this.#tell(socket, channel, happened);
    }
    return this.position;
  }

  /** Throws away what happened up to now. Who comes back cannot be told any more. */
  evict() {
    this.events = [];
    this.evictedUpTo = this.offset;
  }

  /** Loses the log. */
  restart() {
    this.epoch = `e${Number(this.epoch.slice(1)) + 1}`;
    this.offset = 0;
    this.events = [];
    this.evictedUpTo = 0;
  }

  /** Accepts a socket, or goes on with it: reads what it has sent and answers. */
  serve(socket, { welcome = {} } = {}) {
    if (!this.#sessions.has(socket)) {
      this.#sessions.set(socket, { held: new Set(), read: 0 });
      socket.accept("tidings.v1");
      socket.say({ welcome: { connection: "c-1", server: "test", heartbeat_ms: 25_000, ...welcome } });
    }
    const session = this.#sessions.get(socket);
    while (!socket.isCut && session.read < socket.sent.length) {
      const message = socket.sent[session.read++];
      if (this.ignores === 0) this.#answer(socket, session, message);
      else this.#ignore(socket);
    }
  }

  /** The server notices that a connection is gone. */
  forget(socket) {
    this.#sessions.delete(socket);
  }

  #ignore(socket) {
    this.ignores -= 1;
    socket.say({ error: { code: "rate_limited", message: "Slow down." } });
  }

  #answer(socket, { held }, { id, subscribe = [], since = {}, unsubscribe = [], ping }) {
    this.requests.push({ id, subscribe, since, unsubscribe, ping });
    const reply = { id };
    const missed = [];
    for (const channel of subscribe) {
      if (this.refused.has(channel)) {
        reply.errors = { ...reply.errors, [channel]: { code: this.refused.get(channel), message: "No." } };
        continue;
      }
      const isNew = !held.has(channel);
      const from = isNew && since[channel] ? this.#resume(since[channel]) : null;
      const granted = { position: this.position, recovered: from !== null };
      reply.subscribed = { ...reply.subscribed, [channel]: granted };
      held.add(channel);
      if (from === null) continue;
      const after = this.events.filter(({ offset, channels }) => offset > from && channels.includes(channel));
      missed.push(...after.map((each) => [channel, each]));
    }
    for (const channel of unsubscribe) held.delete(channel);
    if (unsubscribe.length > 0) reply.unsubscribed = unsubscribe;
    if (ping !== undefined) reply.pong = ping;
    socket.say(reply);
    for (const [channel, each] of missed) if (held.has(channel)) this.#tell(socket, channel, each);
  }

  #resume(since) {
    const [epoch, offset] = since.split(":");
    const isKnown = epoch === this.epoch && Number(offset) <= this.offset && Number(offset) >= this.evictedUpTo;
    return isKnown ? Number(offset) : null;
  }

  #tell(socket, channel, { offset, event, payload }) {
    if (socket.readyState === 1) socket.event(channel, event, payload, { position: `${this.epoch}:${offset}` });
  }
}

/** Numbers from 0 up to 1 that are the same in each run (mulberry32). */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PAGE = new URL("../../Examples/Bistro/Public/", import.meta.url);
const CONSOLE = new URL("../../Sources/TidingsHummingbird/Console/Page/", import.meta.url);
const pageModules = new Map();

/** A module of the demo's page, with those that it imports. Node would take their names for those of CommonJS modules. */
export async function pageModule(name) {
  return import(await pageModuleURL(new URL(name, PAGE)));
}

/** A module of the console's page, with those that it imports. */
export async function consoleModule(name) {
  return import(await pageModuleURL(new URL(name, CONSOLE)));
}

// The same module has the same address, however often it is imported.
function pageModuleURL(file) {
  if (!pageModules.has(file.href)) pageModules.set(file.href, inlined(file));
  return pageModules.get(file.href);
}

async function inlined(file) {
  const parts = (await readFile(file, "utf8")).split(/^(import .*? from )"(\.\/[\w-]+\.js)";$/ms);
  for (let index = 2; index < parts.length; index += 3) {
    parts[index] = `${JSON.stringify(await pageModuleURL(new URL(parts[index], file)))};`;
  }
  return `data:text/javascript,${encodeURIComponent(parts.join(""))}`;
}

/** Something that is under way until the test says how it ended. */
export class Answers {
  asked = [];

  /** What is to be called in place of the real thing. */
  ask = (...question) => {
    return new Promise((resolve, reject) => this.asked.push({ question, resolve, reject }));
  };

  /** What has been asked and not answered. */
  get questions() {
    return this.asked.map(({ question }) => question);
  }

  async answer(value) {
    this.asked.shift().resolve(value);
    await settle();
  }

  async refuse(error = new Error("refused")) {
    this.asked.shift().reject(error);
    await settle();
  }
}
