// Positions in the server's log: `<epoch>:<offset>`. The offset may be larger than a number can hold.

/** Whether two positions are of one log. After the server lost its data there is another one. */
export function isSameLog(one, other) {
  return Boolean(one && other) && one.split(":")[0] === other.split(":")[0];
}

/** Whether what is known up to a position contains what happened at another one. */
export function isContained(known, position) {
  return isSameLog(known, position) && BigInt(position.split(":")[1]) <= BigInt(known.split(":")[1]);
}
