/**
 * Calls of the API: tokens that renew themselves, retries of what is safe to repeat, errors as data.
 * @typedef {import("#api").components["schemas"]} Schemas
 * @typedef {{access_token: string, refresh_token: string}} Tokens
 * @typedef {{method?: string, body?: unknown, headers?: Record<string, string>, repeatable?: boolean, signedIn?: boolean}} Options
 * @typedef {{status: number, body: any, headers: Headers, repeated: boolean}} Answer
 */
import { API } from "./config.js";
import { kept } from "./kept.js";

const TIMEOUT = 15000; // milliseconds
const PAUSES = [500, 1500, 4000, 8000]; // milliseconds between the tries of a request that is safe to repeat

/**
 * An answer that is no success: `code` is what to decide by, `body` has its details. Status 0 means that nobody answered, or
 * only 503, although the request was repeated where that is safe; `repeated`, that an earlier try may have been carried out.
 */
export class Problem extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body, repeated = false) {
    super(body?.detail ?? `The shop answered ${status}.`);
    this.status = status;
    this.body = body ?? {};
    this.repeated = repeated;
    /** @type {string} */
    this.code = this.body.code ?? "";
  }
}

/** Fires "offline" while a request is being repeated, "online" when one was answered, "signedout" when the session ended. */
export const events = new EventTarget();

export const tokens = kept("shop.tokens", /** @type {Tokens | null} */ (null));

/** The id of the customer to whom an access token belongs; 0 for a guest. */
export function customer(token = tokens.get()?.access_token ?? "") {
  const claims = token.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/");
  return claims ? Number(JSON.parse(atob(claims)).sub) : 0;
}

/**
 * One call. Signs it with the access token unless `signedIn` is false, and renews that once when it has expired.
 * GET, PUT and DELETE are repeated when nobody answers; a POST only where the caller says that it is `repeatable`.
 * @param {string} path @param {Options} [options] @returns {Promise<Answer>}
 */
export async function call(path, options = {}) {
  let token = options.signedIn === false ? undefined : tokens.get()?.access_token;
  let answer = await insist(path, options, token);
  if (answer.status === 401 && token && answer.body?.code !== "AUTH_SESSION_OVER") {
    const renewed = await renew(token);
    if (renewed) answer = await insist(path, options, (token = renewed.access_token));
  }
  if (answer.status === 401 && token) {
    if (tokens.get()?.access_token === token) tokens.forget(); // others are of a session that another tab has begun since
    if (!tokens.get()) events.dispatchEvent(new Event("signedout"));
  }
  if (answer.status >= 400) throw new Problem(answer.status, answer.body, answer.repeated);
  return answer;
}

/**
 * One new pair of tokens for all tabs: the one that has the lock asks for it, the others find it. Null when the session
 * is over. When another customer has signed in meanwhile, in another tab, nothing is sent or kept in that name.
 * @param {string} expired
 */
async function renew(expired) {
  const ask = async () => {
    const pair = tokens.get();
    if (!pair) return null;
    if (customer(pair.access_token) !== customer(expired)) throw new Problem(401, { code: "OTHER_CUSTOMER" });
    if (pair.access_token !== expired) return pair; // another tab was first
    // Repeatable: within the grace period the same refresh token gets the same successor.
    const answer = await insist("/auth/refresh", { method: "POST", body: { refresh_token: pair.refresh_token }, repeatable: true });
    if (tokens.get()?.refresh_token !== pair.refresh_token) return ask(); // signed out, or in again, while this was asked
    if (answer.status === 401) return null; // the session is over
    if (answer.status !== 200) throw new Problem(answer.status, answer.body); // it is not: 429 or 500, say
    tokens.set(answer.body);
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
        body: JSON.stringify(body),
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
    if (!repeatable || tries >= PAUSES.length) throw new Problem(0, null);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
