import { setAttribute, setText } from "./dom.js";

const TEXTS = {
  connected: "Live",
  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
  disconnected: "Offline",
  failed: "Offline",
};

/**
 * Shows what the connection is doing and how much waits to be sent, and offers to try again while there is none.
 *
 * @param {{indicator: HTMLElement, retry: HTMLButtonElement}} elements
 * @param {import("/tidings.js").BroadcastClient} client
 * @param {import("./outbox.js").Outbox} outbox
 */
export function showConnection({ indicator, retry }, client, outbox) {
  const draw = () => {
    const { state, failure } = client;
    const { waiting } = outbox;
    setAttribute(indicator, "data-state", state);
    setAttribute(indicator, "title", failure?.message ?? TEXTS[state]);
    setText(indicator, waiting > 0 ? `${waiting} to send` : TEXTS[state]);
    retry.hidden = state !== "reconnecting" && state !== "failed";
  };
  retry.addEventListener("click", () => {
    client.connect();
    outbox.retry();
  });
  client.onStateChange(draw);
  outbox.onChange(draw);
  draw();
}
