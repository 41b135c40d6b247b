/** What came of a request that came to nothing. */
export class ApiError extends Error {
  /**
   * @param {string} message For people.
   * @param {object} [problem] The answer's problem details (RFC 9457), and its `status`; 0 without an answer.
   */
  constructor(message, { status = 0, code = null, errors = [], current = null, state = null, cause } = {}) {
    super(message, { cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    /** What is wrong with fields: `{pointer, code, message}`. */
    this.errors = errors;
    /** The entity as it is, where the change did not fit it. */
    this.current = current;
    /** The state that it is in, where the change did not fit that. */
    this.state = state;
  }

  /** Whether the server has decided. Otherwise the same request may still succeed, or already has. */
  get isDecided() {
    return this.status >= 400 && ![408, 425, 429, 502, 503, 504].includes(this.status);
  }
}
