/**
 * What the page shows, and how a change of it reaches the screen.
 * @typedef {import("./api.js").Schemas} Schemas
 * @typedef {Schemas["Cart"] | Schemas["PreviewedCart"]} Cart a customer's, or a guest's
 * @typedef {Cart["items"][number]} Line
 */
/**
 * A view: its title is there at once, the rest when `load` has read what it shows. `part` is what its address names.
 * @template T
 * @typedef {object} Page
 * @property {(part: string, query: URLSearchParams) => Promise<T>} [load]
 * @property {(loaded: T | undefined, query: URLSearchParams) => string} title
 * @property {(loaded: T, query: URLSearchParams) => unknown} view
 */
import { call, customer, events, Problem, tokens } from "./api.js";
import { inWords } from "./words.js";

const shown = {
  /** @type {any} what the current view has loaded; undefined while it loads */
  loaded: undefined,
  cart: /** @type {Cart | null} */ (null),
  /** null for a guest */
  me: /** @type {Schemas["Me"] | null} */ (null),
  message: /** @type {{text: string, action?: string, run?: () => void} | null} */ (null),
  /** @type {Record<string, string>} what is wrong in the form that was sent, by the name of the field */
  faults: {},
  suggestions: /** @type {Schemas["Suggestion"][]} */ ([]),
  busy: false,
  reachable: true,
};
let waiting = false;
events.addEventListener("draw", () => (waiting = false));

/** To set something here draws the page again, once for all that is set in a turn. */
export const state = new Proxy(shown, {
  set(target, name, value) {
    if (!waiting) queueMicrotask(() => events.dispatchEvent(new Event("draw")));
    waiting = true;
    return Reflect.set(target, name, value);
  },
});

let fading = 0;

/** Tells the customer something, with one thing to do about it. @param {string} text @param {string} [action] @param {() => void} [run] */
export function tell(text, action, run) {
  state.message = { text, action, run };
  clearTimeout(fading);
  fading = window.setTimeout(() => (state.message = null), action ? 15000 : 7000);
}

/**
 * Runs what a click or a form asked for: one at a time, with its errors told. Returns whether it succeeded. Buttons are only
 * `aria-disabled` meanwhile: `disabled` would take the focus from the one that was pressed.
 * @param {() => Promise<unknown>} work
 */
export async function attempt(work) {
  if (state.busy) return false;
  Object.assign(state, { busy: true, faults: {} });
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    for (const { field, detail } of error.body.errors ?? []) state.faults[field.split(".").at(-1)] ??= detail; // "contact.name" is "name"
    const marked = Object.keys(state.faults).some((name) => document.getElementsByName(name).length);
    tell(marked ? "Please look at the marked fields." : error.body.errors?.[0].detail ?? inWords(error));
    return false;
  } finally {
    state.busy = false;
  }
}

/** Reads who is signed in; a guest is null. */
export async function readMe() {
  const me = tokens.get() ? (await call("/auth/me")).body : null;
  if ((me?.id ?? 0) === customer()) state.me = me; // else somebody signed in or out meanwhile: that is read, too
}
