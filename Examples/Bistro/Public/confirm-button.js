import { element, setText } from "./dom.js";

const PATIENCE = 4_000;

/**
 * A button for what cannot be undone: the first click asks, the second one acts.
 *
 * @param {object} attributes Those of the button.
 * @param {string} text
 * @param {string} question
 * @param {() => void} act
 */
export function confirmButton(attributes, text, question, act) {
  let timer = null;
  const button = element("button", { type: "button", text, onclick: click, onblur: disarm, ...attributes });

  function disarm() {
    clearTimeout(timer);
    timer = null;
    button.classList.remove("armed");
    setText(button, text);
  }

  // The second click of a double click is no answer.
  function click({ detail }) {
    if (detail > 1) return;
    const isArmed = timer !== null;
    disarm();
    if (isArmed) return act();
    button.classList.add("armed");
    setText(button, question);
    timer = setTimeout(disarm, PATIENCE);
  }

  return button;
}
