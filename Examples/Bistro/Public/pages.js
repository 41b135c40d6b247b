// Lists come in pages.

/** A path with parameters. What is null is left out; an array is given once for each of its values. */
export function withQuery(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of [value].flat()) if (each !== null) query.append(name, each);
  }
  return `${path}?${query}`;
}

/**
 * All pages of a list.
 *
 * @param {(path: string) => Promise<{content: {items: object[], next_cursor: string | null}, position: string | null}>}
 *   read
 * @returns {Promise<{items: object[], position: string | null}[]>} Each page is known up to its own position. The first
 *   one's is the oldest: nothing that happens after it is missed.
 */
export async function allPages(read, path, parameters = {}) {
  const pages = [];
  let cursor = null;
  do {
    const { content, position } = await read(withQuery(path, { ...parameters, cursor }));
    pages.push({ items: content.items, position });
    cursor = content.next_cursor;
  } while (cursor !== null);
  return pages;
}
