// The server's HTTP interface.

const PATIENCE = 15_000;

/** An answer that is none: `message` is for people, `status` is 0 when there was no answer at all. */
export class ApiError extends Error {
  constructor(message, { status = 0, code = null, cause } = {}) {
    super(message, { cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

export const api = {
  orders: async () => (await request("GET", "/orders")).items,
  order: (id) => request("GET", `/orders/${encodeURIComponent(id)}`),
  createOrder: (table) => request("POST", "/orders", { table }),
  changeOrder: (id, change) => request("PATCH", `/orders/${encodeURIComponent(id)}`, change),
  addItem: (id, item) => request("POST", `/orders/${encodeURIComponent(id)}/items`, item),
};

async function request(method, path, body) {
  const response = await send(method, path, body);
  const content = await response.json().catch(() => null);
  if (response.ok && content !== null) return content;
  throw failure(response.status, content);
}

async function send(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  const options = { method, headers, cache: "no-store", body: body && JSON.stringify(body) };
  try {
    return await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  } catch (cause) {
    const message =
      cause.name === "TimeoutError" ? "The server takes too long to answer." : "The server cannot be reached.";
    throw new ApiError(message, { cause });
  }
}

// RFC 9457: `detail` speaks of this occurrence, `title` of its kind.
function failure(status, problem) {
  const said = [problem?.detail, problem?.title].find((text) => typeof text === "string" && text !== "");
  const message = said ?? `The server answered ${status}, and nothing that makes sense.`;
  return new ApiError(message, { status, code: problem?.code ?? null });
}
