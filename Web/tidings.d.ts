/** What a client hears on a channel. */
export interface BroadcastEvent {
  readonly channel: string;
  /** `created`, `updated`, `deleted`, …; `stale` means: fetch everything that is shown of this channel. */
  readonly event: string;
  /** A hint about where to look. By custom `entity_id` names the entity that the event is about. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Where the event stands in its channel's log. Not there in the plain dialect. */
  readonly position?: string;
  /** So many clients hear this that each should wait for a random part of these milliseconds before it fetches. */
  readonly spread_ms?: number;
}

/** A request that the server refused. */
export interface BroadcastError {
  /** `bad_channel`, `too_many_channels`, `forbidden`, … Later versions may add codes. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** The channel that the error is about, or null. */
  readonly channel: string | null;
}

/** What a connection is doing. */
export type BroadcastState = "disconnected" | "connecting" | "connected" | "reconnecting" | "failed";

/** Why a client has given up. */
export interface BroadcastFailure {
  readonly reason: "report" | "await_token" | "stay_away" | "attempts_exhausted" | "unopenable";
  /** The close code of the server, if there was one. */
  readonly code: number | null;
  /** For people. */
  readonly message: string;
}

/** What a client does after a connection ended. */
export type CloseAdvice =
  | "reconnect"
  | "reconnect_announced"
  | "reconnect_resuming"
  | "reconnect_longest"
  | "refresh_token"
  | "await_token"
  | "stay_away"
  | "report";

/** What a frame of the server means. */
export type ServerMessage =
  | ({ type: "event" } & BroadcastEvent)
  | { type: "pong"; value: number }
  | ({ type: "error" } & BroadcastError);

/** Whose token the server has looked at. */
export interface Authenticated {
  subject: string | null;
  /** RFC 3339 in UTC. */
  expires_at: string | null;
}

/** What a frame of the server means in the extended dialect. What is not told is null. */
export type ExtendedServerMessage =
  | { type: "welcome"; connection: string; server: string; heartbeat_ms: number; authenticated?: Authenticated }
  | { type: "draining"; reconnect_within_ms: number }
  | {
      type: "event";
      channel: string;
      event: string;
      payload: Record<string, unknown>;
      position: string | null;
      spread_ms: number | null;
    }
  | {
      type: "reply";
      id: string | number | null;
      subscribed: { channel: string; position: string | null; recovered: boolean; spread_ms: number | null }[];
      refused: BroadcastError[];
      unsubscribed: string[];
      published: string | null;
      authenticated: Authenticated | null;
      pong: number | null;
    }
  | ({ type: "error"; id: string | number | null } & BroadcastError);

/** The part of a WebSocket that the client uses. */
export interface SocketLike {
  readonly protocol?: string;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

/** Where the client hears that the network is back. */
export interface NetworkEvents {
  addEventListener(type: "online", listener: () => void): void;
  removeEventListener(type: "online", listener: () => void): void;
}

/** Why a token is asked for: for an attempt, before the old one expires, because it has, or because it was refused. */
export type TokenReason = "connect" | "refresh" | "expired" | "refused";

type MaybeToken = string | null | undefined;

/** Options of a client. Times are in milliseconds. */
export interface BroadcastClientOptions {
  /** Where the server listens. Default: `/ws/broadcast` on the page's host. A function is asked before each attempt. */
  url?: string | URL | (() => string | URL);
  /** Who the client is. A function is asked before each attempt, and on a live connection before the token expires. */
  token?: MaybeToken | ((reason: TokenReason) => MaybeToken | Promise<MaybeToken>);
  /** What is offered to be spoken, the best first. Default: both. None for servers that know no subprotocols. */
  dialects?: ("tidings.v1" | "tidings.plain")[];
  /** Default 500. Before attempt n to reconnect: a random time up to min(backoffMax, backoffBase × 2ⁿ). */
  backoffBase?: number;
  /** `backoffBase`. */
  reconnectDelay?: number;
  /** `backoffBase`. */
  reconnectInterval?: number;
  /** Default 20,000. */
  backoffMax?: number;
  /** `backoffMax`. */
  reconnectMaxInterval?: number;
  /** Attempts to reconnect in a row before the client gives up. Default: it never does. */
  maxAttempts?: number;
  /** `maxAttempts`. */
  maxReconnectAttempts?: number;
  /** False: `maxAttempts` is 0. */
  reconnect?: boolean;
  /** Default 10,000. How long one attempt may take, with the wait for a token. */
  connectTimeout?: number;
  /** Default 25,000. The time from one ping to the next, at the most: a server may ask for more. */
  heartbeatInterval?: number;
  /** Default 10,000. Without an answer for so long the connection counts as lost. */
  heartbeatTimeout?: number;
  /** Shows frames in the console, or gives them to a function, without payloads and tokens. Default: false. */
  debug?: boolean | ((text: string, frame: Record<string, unknown>) => void);
  /** The constructor of the socket. Default: the browser's. */
  WebSocket?: new (url: string, protocols?: string[]) => SocketLike;
  /** From 0 up to, not including, 1. */
  random?: () => number;
  /** Milliseconds since 1970. */
  now?: () => number;
  setTimeout?: (action: () => void, milliseconds: number) => unknown;
  clearTimeout?: (timer: any) => void;
  /** Where `online` is heard. Default: the window. */
  network?: NetworkEvents | null;
  /** Takes what handlers, listeners and `token` throw. Default: the window's `error` event. */
  reportError?: (error: unknown) => void;
}

/** What is told of a subscription that comes into force. */
export interface SubscriptionStatus {
  readonly channel: string;
  /** Whether what was missed is delivered next. Otherwise what was fetched before may be out of date. */
  readonly recovered: boolean;
}

/** Options of one subscription. */
export interface SubscribeOptions {
  /**
   * Up to where the caller knows the channel: the `Tidings-Position` of what it has fetched. What happened after that
   * is delivered, or the channel is `stale`.
   */
  since?: string | null;
  /** Called each time that the subscription comes into force, before what was missed and before `stale`. */
  onSubscribed?: (status: SubscriptionStatus) => void;
}

/**
 * One connection to a Tidings server that comes back by itself, and the subscriptions on it.
 *
 * Events of one channel arrive in the server's order. After a reconnect what was missed comes first. Where the server
 * does not know it any more, or speaks the plain dialect, the channel gets `stale` instead, with a payload
 * `{reason: "gap"}` or `{reason: "epoch"}`. An event on several channels calls the same handler once.
 */
export class BroadcastClient {
  /**
   * @throws {RangeError} If a number is out of range or a dialect unknown.
   * @throws {TypeError} If the token can never be sent.
   */
  constructor(options?: BroadcastClientOptions);

  /** What the connection is doing. */
  readonly state: BroadcastState;

  /** Why the state is `failed`; null in every other state. */
  readonly failure: BroadcastFailure | null;

  /** Connects and keeps the connection up. While reconnecting: makes the next attempt now. Never throws. */
  connect(): void;

  /** Closes the connection and stays away until `connect` is called. The subscriptions stay. */
  disconnect(): void;

  /** Asks for the `token` again, and hands it over: at once, or with a new attempt if the old one was refused. */
  refreshToken(): void;

  /**
   * Hears a channel, in every state. The server is told once per channel.
   *
   * @returns Ends this subscription; a second call does nothing.
   * @throws {TypeError} If the channel's name is none, the handler no function, or `since` no text.
   */
  subscribe(channel: string, handler: (event: BroadcastEvent) => void, options?: SubscribeOptions): () => void;

  /** Hears each change of `state`, in order. @returns Removes the listener. */
  onStateChange(listener: (state: BroadcastState, failure: BroadcastFailure | null) => void): () => void;

  /** Hears what the server refuses; the connection lives on. @returns Removes the listener. */
  onError(listener: (error: BroadcastError) => void): () => void;
}

/** Whether a value is a channel's name: 1 to 255 bytes of UTF-8 without control characters and white space. */
export function isValidChannel(name: unknown): name is string;

/** What a frame of the plain dialect means; null for one that a client must ignore. Never throws. */
export function decodeServerMessage(text: unknown): ServerMessage | null;

/** What a frame of the extended dialect means; null for one that a client must ignore. Never throws. */
export function decodeExtendedMessage(text: unknown): ExtendedServerMessage | null;

/**
 * What a client does after a connection ended.
 *
 * @param code The close code; 1005 stands for "none", 1006 for "lost".
 * @param sentByServer False when this client asked for the close. Default: true.
 */
export function closeAdvice(code: number, sentByServer?: boolean): CloseAdvice;
