// What the page calls things.

export function number(value) {
  return Math.round(value).toLocaleString("en");
}

/** A rate: with a decimal while it is small. */
export function rate(value) {
  return value < 10 ? String(Math.round(value * 10) / 10) : number(value);
}

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 ** 2) return `${(count / 1024).toFixed(1)} KiB`;
  return `${(count / 1024 ** 2).toFixed(1)} MiB`;
}

/** How long ago, both in milliseconds. */
export function ago(at, now) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** How much is shown of how much there is. */
export function shown(count, all, one, many) {
  if (all === 0) return `No ${many}.`;
  const what = `${number(all)} ${all === 1 ? one : many}`;
  return count < all ? `${what}; the first ${number(count)} are shown.` : `${what}.`;
}

export const states = {
  connecting: "Connecting",
  connected: "Live",
  disconnected: "Not connected. Trying again; reload the page if it asks for the secret.",
};
