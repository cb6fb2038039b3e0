/**
 * Calls of the API: tokens that renew themselves, retries of what is safe to repeat, errors as data.
 *
 * @typedef {import("#api").components["schemas"]} Schemas
 * @typedef {{access_token: string, refresh_token: string}} Tokens
 * @typedef {{method?: string, body?: unknown, headers?: Record<string, string>, repeatable?: boolean, signedIn?: boolean}} Options
 * @typedef {{status: number, body: any, headers: Headers, repeated: boolean}} Answer
 */
import { API } from "./config.js";

const TOKENS = "shop.tokens";
const TIMEOUT = 15000; // milliseconds
const PAUSES = [500, 1500, 4000, 8000]; // milliseconds between the tries of a request that is safe to repeat

/** An answer that is no success: `code` is what to decide by, `body` has its details. */
export class Problem extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(body?.detail ?? `The shop answered ${status}.`);
    this.status = status;
    this.body = body ?? {};
    /** @type {string} */
    this.code = this.body.code ?? "";
  }
}

/** Nobody answered, or only 503, although the request was repeated where that is safe. */
export class Unreachable extends Error {}

/** Fires "offline" while a request is being repeated, "online" when one was answered, "signedout" when the session ended. */
export const events = new EventTarget();

/** @returns {Tokens | null} */
export function tokens() {
  return JSON.parse(localStorage.getItem(TOKENS) ?? "null");
}

/** @param {Tokens | null} pair */
export function keepTokens(pair) {
  if (pair) localStorage.setItem(TOKENS, JSON.stringify({ access_token: pair.access_token, refresh_token: pair.refresh_token }));
  else localStorage.removeItem(TOKENS);
}

/**
 * One call. Signs it with the access token unless `signedIn` is false, and renews that once when it has expired.
 * GET, PUT and DELETE are repeated when nobody answers; a POST only where the caller says that it is `repeatable`.
 *
 * @param {string} path @param {Options} [options] @returns {Promise<Answer>}
 */
export async function call(path, options = {}) {
  const pair = options.signedIn === false ? null : tokens();
  let token = pair?.access_token;
  let answer = await insist(path, options, token);
  if (answer.status === 401 && token && answer.body?.code !== "AUTH_SESSION_OVER") {
    const renewed = await renew(token);
    if (renewed) answer = await insist(path, options, (token = renewed.access_token));
  }
  if (answer.status === 401 && pair) {
    if (tokens()?.access_token === token) keepTokens(null); // others are of a session that another tab has begun since
    if (!tokens()) events.dispatchEvent(new Event("signedout"));
  }
  if (answer.status >= 400) throw new Problem(answer.status, answer.body);
  return answer;
}

/** One new pair of tokens for all tabs: the one that has the lock asks for it, the others find it. @param {string} expired */
async function renew(expired) {
  const ask = async () => {
    const pair = tokens();
    if (!pair || pair.access_token !== expired) return pair; // another tab was first
    // Repeatable: within the grace period the same refresh token gets the same successor.
    const options = { method: "POST", body: { refresh_token: pair.refresh_token }, repeatable: true };
    const answer = await insist("/auth/refresh", options);
    if (answer.status === 401) return null; // the session is over
    if (answer.status !== 200) throw new Problem(answer.status, answer.body); // it is not: 429 or 500, say
    keepTokens(answer.body);
    return /** @type {Tokens} */ (answer.body);
  };
  return navigator.locks ? navigator.locks.request("shop.refresh", ask) : ask();
}

/** @param {string} path @param {Options} options @param {string} [token] @returns {Promise<Answer>} */
async function insist(path, { method = "GET", body, headers = {}, repeatable = method !== "POST" }, token) {
  for (let tries = 0; ; tries += 1) {
    let pause = PAUSES[tries];
    try {
      const response = await fetch(API + path, {
        method,
        credentials: "omit",
        headers: {
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT),
      });
      if (response.status !== 503) {
        const text = await response.text();
        events.dispatchEvent(new Event("online"));
        return { status: response.status, body: text ? JSON.parse(text) : null, headers: response.headers, repeated: tries > 0 };
      }
      pause = Math.max(pause ?? 0, 1000 * (Number(response.headers.get("Retry-After")) || 0));
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof DOMException)) throw error;
      // no answer, half of one, or none in time
    }
    events.dispatchEvent(new Event("offline"));
    if (!repeatable || tries >= PAUSES.length) throw new Unreachable("The shop does not answer at the moment.");
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
