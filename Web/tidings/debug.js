// What a frame looks like in a log: who speaks of what, and never a payload or a token. Nothing is shown that is not
// named here, so what later versions add stays hidden too.

const HIDDEN = "…";

/**
 * @param {object} message What a client sends.
 * @returns {object}
 */
export function describeSent({ id, auth, subscribe, since, unsubscribe, ping }) {
  return told({ id, auth: auth === undefined ? undefined : HIDDEN, subscribe, since, unsubscribe, ping });
}

/**
 * @param {object | null} message What a decoder made of a frame.
 * @returns {object}
 */
export function describeReceived(message) {
  switch (message?.type) {
    case "event": {
      const { type, channel, event, position, spread_ms } = message;
      return told({ type, channel, event, position, spread_ms, payload: HIDDEN });
    }
    case "reply": {
      const { type, id, subscribed, refused, unsubscribed, authenticated, pong } = message;
      const errors = refused.map(({ channel, code }) => ({ channel, code }));
      const expires_at = authenticated?.expires_at;
      const granted = subscribed.map(told);
      return told({ type, id, subscribed: granted, errors, unsubscribed, expires_at, pong });
    }
    case "error": {
      const { type, id, code, channel } = message;
      return told({ type, id, code, channel });
    }
    case "welcome": {
      const { type, connection, server, heartbeat_ms } = message;
      return { type, connection, server, heartbeat_ms };
    }
    case "draining": {
      const { type, reconnect_within_ms } = message;
      return { type, reconnect_within_ms };
    }
    case "pong": {
      const { type, value } = message;
      return { type, value };
    }
    default:
      return { type: "unknown" };
  }
}

/** The members that tell anything. */
function told(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));
}
