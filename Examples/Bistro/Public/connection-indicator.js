import { setAttribute, setText } from "./dom.js";

const TEXTS = {
  connected: "Live",
  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
  disconnected: "Offline",
  failed: "Offline",
};

/**
 * Shows what the connection is doing, and offers to try again while there is none.
 *
 * @param {{indicator: HTMLElement, retry: HTMLButtonElement}} elements
 * @param {import("/tidings.js").BroadcastClient} client
 */
export function showConnection({ indicator, retry }, client) {
  const draw = (state, failure) => {
    setAttribute(indicator, "data-state", state);
    setAttribute(indicator, "title", failure?.message ?? null);
    setText(indicator, TEXTS[state]);
    retry.hidden = state !== "reconnecting" && state !== "failed";
  };
  retry.addEventListener("click", () => client.connect());
  client.onStateChange(draw);
  draw(client.state, client.failure);
}
