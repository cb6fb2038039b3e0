/**
 * What the page shows, and how a change of it reaches the screen.
 *
 * @typedef {import("./api.js").Schemas} Schemas
 * @typedef {Schemas["Cart"] | Schemas["PreviewedCart"]} Cart a customer's, or a guest's
 * @typedef {Cart["items"][number]} Line
 * @typedef {{text: string, action?: string, run?: () => void}} Message
 */
import { call, keepTokens, Problem, tokens, Unreachable } from "./api.js";
import { inWords } from "./words.js";

export const state = {
  /** @type {any} what the current view has loaded; undefined while it loads */
  view: undefined,
  cart: /** @type {Cart | null} */ (null),
  /** null for a guest */
  me: /** @type {Schemas["Me"] | null} */ (null),
  message: /** @type {Message | null} */ (null),
  /** @type {Record<string, string>} faults of the form that was sent, by field */
  faults: {},
  busy: false,
  reachable: true,
};

let draw = () => {};
let waiting = false;

/** Names the function that draws the page. @param {() => void} drawing */
export function drawsWith(drawing) {
  draw = drawing;
}

/** Draws the page again, once, however many changes there were in this turn. */
export function changed() {
  if (waiting) return;
  waiting = true;
  queueMicrotask(() => {
    waiting = false;
    draw();
  });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let fading;

/** Tells the customer something, with one thing to do about it. @param {string} text @param {string} [action] @param {() => void} [run] */
export function tell(text, action, run) {
  state.message = { text, action, run };
  clearTimeout(fading);
  fading = setTimeout(hush, action ? 15000 : 7000);
  changed();
}

export function hush() {
  state.message = null;
  changed();
}

/**
 * Runs what a click or a form asked for: one at a time, with its errors told. Returns whether it succeeded.
 *
 * @param {() => Promise<unknown>} work
 */
export async function attempt(work) {
  if (state.busy) return false;
  state.busy = true;
  state.faults = {};
  changed();
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    for (const fault of /** @type {any} */ (error).body?.errors ?? []) state.faults[fault.field] ??= fault.detail;
    tell(Object.keys(state.faults).length ? "Please look at the marked fields." : inWords(error));
    return false;
  } finally {
    state.busy = false;
    changed();
  }
}

/** Reads who is signed in; a guest is null. */
export async function readMe() {
  state.me = tokens() ? (await call("/auth/me")).body : null;
  changed();
}

/** Signs in, or makes an account and signs in with it. @param {"login" | "register"} way @param {string} email @param {string} password */
export async function signIn(way, email, password) {
  const answer = await call(`/auth/${way}`, { method: "POST", body: { email, password }, signedIn: false });
  keepTokens(answer.body);
  await readMe();
}

/** Ends the session here even when the shop does not answer: its tokens are forgotten. */
export async function signOut() {
  const pair = tokens();
  try {
    if (pair) await call("/auth/logout", { method: "POST", body: { refresh_token: pair.refresh_token }, repeatable: true });
  } finally {
    keepTokens(null);
    state.me = null;
    changed();
  }
}
