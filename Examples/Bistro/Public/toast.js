import { arrange, element } from "./dom.js";

const LIFETIME = 8_000;
const MOST = 3;

/**
 * Messages that go away by themselves, unless somebody is reading them.
 *
 * @param {HTMLElement} container A live region.
 * @returns {(message: string) => void} Shows a message. The same message again only stays longer.
 */
export function makeToasts(container) {
  const shown = new Map();

  function close(message) {
    clearTimeout(shown.get(message)?.timer);
    shown.delete(message);
    draw();
  }

  function keep(message) {
    clearTimeout(shown.get(message)?.timer);
  }

  function expireLater(message) {
    keep(message);
    const entry = shown.get(message);
    if (entry) entry.timer = setTimeout(() => close(message), LIFETIME);
  }

  function draw() {
    arrange(container, [...shown.values()].map(({ toast }) => toast));
  }

  return (message) => {
    if (!shown.has(message)) {
      const onclick = () => close(message);
      const closing = { type: "button", class: "toast-close", "aria-label": "Close", text: "×", onclick };
      const listeners = { onpointerenter: () => keep(message), onpointerleave: () => expireLater(message) };
      const toast = element("div", { class: "toast", "data-testid": "toast", ...listeners }, [
        element("p", { text: message }),
        element("button", closing),
      ]);
      shown.set(message, { toast, timer: null });
      while (shown.size > MOST) close(shown.keys().next().value);
      draw();
    }
    expireLater(message);
  };
}
