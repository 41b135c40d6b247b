// Positions in the log of a channel: `<epoch>:<offset>`.

const FORM = /^([A-Za-z0-9_-]{1,64}):(0|[1-9][0-9]{0,19})$/;
const LARGEST_OFFSET = 2n ** 64n - 1n;

/**
 * Reads a position. Its offset may be larger than a number can hold, so it is a BigInt.
 *
 * @param {unknown} text
 * @returns {{epoch: string, offset: bigint, text: string} | null} Null for what is no position.
 */
export function parsePosition(text) {
  const match = typeof text === "string" && text.length <= 96 ? FORM.exec(text) : null;
  if (!match) return null;
  const offset = BigInt(match[2]);
  return offset <= LARGEST_OFFSET ? Object.freeze({ epoch: match[1], offset, text }) : null;
}

/**
 * Whether what happened at `position` is contained in what is known up to `known`. Positions of two epochs say nothing
 * about each other.
 *
 * @param {{epoch: string, offset: bigint} | null} known
 * @param {{epoch: string, offset: bigint} | null} position
 */
export function isKnown(known, position) {
  return known !== null && position !== null && known.epoch === position.epoch && position.offset <= known.offset;
}
