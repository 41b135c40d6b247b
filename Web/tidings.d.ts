/** What a client hears on a channel. */
export interface BroadcastEvent {
  readonly channel: string;
  /** `created`, `updated`, `deleted`, …; `stale` means: fetch everything that is shown of this channel. */
  readonly event: string;
  /** A hint about where to look. By custom `entity_id` names the entity that the event is about. */
  readonly payload: Readonly<Record<string, unknown>>;
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

/** The part of a WebSocket that the client uses. */
export interface SocketLike {
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

/** Options of a client. Times are in milliseconds. */
export interface BroadcastClientOptions {
  /** Where the server listens. Default: `/ws/broadcast` on the page's host. A function is asked before each attempt. */
  url?: string | URL | (() => string | URL);
  /** Default 500. Before attempt n to reconnect: a random time up to min(backoffMax, backoffBase × 2ⁿ). */
  backoffBase?: number;
  /** Default 20,000. */
  backoffMax?: number;
  /** Attempts to reconnect in a row before the client gives up. Default: it never does. */
  maxAttempts?: number;
  /** Default 10,000. How long one attempt may take. */
  connectTimeout?: number;
  /** Default 25,000. The time from one ping to the next. */
  heartbeatInterval?: number;
  /** Default 10,000. Without an answer for so long the connection counts as lost. */
  heartbeatTimeout?: number;
  /** The constructor of the socket. Default: the browser's. */
  WebSocket?: new (url: string) => SocketLike;
  /** From 0 up to, not including, 1. */
  random?: () => number;
  setTimeout?: (action: () => void, milliseconds: number) => unknown;
  clearTimeout?: (timer: any) => void;
  /** Where `online` is heard. Default: the window. */
  network?: NetworkEvents | null;
  /** Takes what handlers and listeners throw. Default: the window's `error` event. */
  reportError?: (error: unknown) => void;
}

/** Options of one subscription. */
export interface SubscribeOptions {
  /** Called each time that the subscription comes into force: what was fetched before may have missed a change. */
  onSubscribed?: () => void;
}

/**
 * One connection to a Tidings server that comes back by itself, and the subscriptions on it.
 *
 * Events of one channel arrive in the server's order. After each reconnect every channel gets `stale` with
 * `{reason: "gap"}`, once its subscription is in force again.
 */
export class BroadcastClient {
  /** @throws {RangeError} If a number is out of range. */
  constructor(options?: BroadcastClientOptions);

  /** What the connection is doing. */
  readonly state: BroadcastState;

  /** Why the state is `failed`; null in every other state. */
  readonly failure: BroadcastFailure | null;

  /** Connects and keeps the connection up. While reconnecting: makes the next attempt now. Never throws. */
  connect(): void;

  /** Closes the connection and stays away until `connect` is called. The subscriptions stay. */
  disconnect(): void;

  /**
   * Hears a channel, in every state. The server is told once per channel.
   *
   * @returns Ends this subscription; a second call does nothing.
   * @throws {TypeError} If the channel's name is none, or the handler is no function.
   */
  subscribe(channel: string, handler: (event: BroadcastEvent) => void, options?: SubscribeOptions): () => void;

  /** Hears each change of `state`, in order. @returns Removes the listener. */
  onStateChange(listener: (state: BroadcastState, failure: BroadcastFailure | null) => void): () => void;

  /** Hears what the server refuses; the connection lives on. @returns Removes the listener. */
  onError(listener: (error: BroadcastError) => void): () => void;
}

/** Whether a value is a channel's name: 1 to 255 bytes of UTF-8 without control characters and white space. */
export function isValidChannel(name: unknown): name is string;

/** What a frame from the server means; null for one that a client must ignore. Never throws. */
export function decodeServerMessage(text: unknown): ServerMessage | null;

/**
 * What a client does after a connection ended.
 *
 * @param code The close code; 1005 stands for "none", 1006 for "lost".
 * @param sentByServer False when this client asked for the close. Default: true.
 */
export function closeAdvice(code: number, sentByServer?: boolean): CloseAdvice;
