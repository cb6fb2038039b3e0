/**
 * The cart: a guest's in the browser, shown by /cart/preview; a customer's in the shop, changed with If-Match.
 * @typedef {import("./store.js").Cart} Cart
 * @typedef {{id: number, title: string, price: string}} Book
 */
import { call, customer, Problem, tokens } from "./api.js";
import { kept } from "./kept.js";
import { attempt, state, tell } from "./store.js";
import { counted, skippedInWords } from "./words.js";

const [SOON, LATE] = [8000, 120000]; // milliseconds between two looks at a cart: doubled while nothing happens
const guest = kept("shop.guest", /** @type {{book_id: number, quantity: number, price_seen: string}[]} */ ([]));
export const otherTabs = new BroadcastChannel("shop.cart");

export let etag = ""; // of the customer's cart on the screen
let reads = 0; // begun so far
let shown = 0; // which of them is on the screen: the answer of an earlier one is dropped

/** Reads the cart anew, or learns that it is as it was (304). Returns whether something changed. */
export async function readCart() {
  const [mine, whose] = [(reads += 1), customer()];
  const answer = await (tokens.get() ? call("/cart", { headers: etag ? { "If-None-Match": etag } : {} }) : preview());
  if (mine < shown || whose !== customer() || answer?.status === 304) return false;
  show(answer, mine);
  return true;
}

/** The guest's entries as a cart, at today's prices; null without entries. */
async function preview() {
  const items = guest.get();
  return items.length ? call("/cart/preview", { method: "POST", body: { items }, repeatable: true, signedIn: false }) : null;
}

/** @param {import("./api.js").Answer | null} answer */
function show(answer, number = (reads += 1)) {
  shown = number;
  etag = answer?.headers.get("ETag") ?? "";
  state.cart = answer?.body ?? null;
}

/** The line of a book, if the cart has it. @param {number} id */
export function lineOf(id) {
  return state.cart?.items.find((line) => line.book_id === id);
}

/**
 * Wants so many copies of a book, at the price on the screen; 0 removes it. The same number again confirms a new price.
 * @param {Book} book @param {number} quantity
 */
export async function want(book, quantity) {
  const line = lineOf(book.id);
  if (!tokens.get()) {
    const before = guest.get();
    const entries = new Map(before.map((entry) => [entry.book_id, entry]));
    if (quantity) entries.set(book.id, { book_id: book.id, quantity, price_seen: book.price });
    else entries.delete(book.id);
    guest.set([...entries.values()]);
    // An entry that the shop does not list, or one too many to list any, is not kept.
    const refused = await readCart().then(() => quantity > 0 && !lineOf(book.id), (error) => error.status === 422 || Promise.reject(error));
    if (refused) {
      const results = state.cart && "results" in state.cart ? state.cart.results : [];
      const isGone = results.some((result) => result.book_id === book.id && result.code === "BOOK_NOT_FOUND");
      guest.set(before);
      await readCart();
      throw new Problem(409, { code: isGone ? "BOOK_NOT_FOUND" : "CART_LIMIT_EXCEEDED" });
    }
  } else if (!line) await change(book, quantity, "POST", "/cart/items", { book_id: book.id, quantity });
  else if (quantity) await change(book, quantity, "PUT", `/cart/items/${line.id}`, { quantity });
  else await change(book, quantity, "DELETE", `/cart/items/${line.id}`);
}

/**
 * One change of a customer's cart, for the state that is on the screen. When another device was first (412), the cart is
 * shown as it is now, with what is different, and nothing is changed. A change whose answer was lost is sent again, and then
 * refused although it was made: the cart that has what was wanted says so.
 * @param {Book} book @param {number} quantity @param {string} method @param {string} path @param {unknown} [body]
 */
async function change(book, quantity, method, path, body) {
  const before = state.cart;
  try {
    show(await call(`${path}?return=cart`, { method, body, headers: etag ? { "If-Match": etag } : {}, repeatable: true }));
    otherTabs.postMessage("changed");
  } catch (error) {
    if (!(error instanceof Problem) || ![404, 409, 412].includes(error.status)) throw error;
    show(await call("/cart"));
    const made = error.repeated && (lineOf(book.id)?.quantity ?? 0) === quantity;
    if (made) otherTabs.postMessage("changed");
    else if (error.status !== 412) throw error;
    else tell(`Your cart was changed somewhere else: ${differences(before, state.cart)} Try again if you still want to.`);
  }
}

/** @param {Cart | null} before @param {Cart | null} after */
function differences(before, after) {
  const was = new Map((before?.items ?? []).map((line) => [line.book_id, line]));
  const told = [];
  for (const line of after?.items ?? []) {
    const old = was.get(line.book_id);
    was.delete(line.book_id);
    if (!old) told.push(`${line.book.title} was added.`);
    else if (old.quantity !== line.quantity) told.push(`${line.book.title}: ${line.quantity} instead of ${old.quantity}.`);
    else if (old.book.price !== line.book.price) told.push(`${line.book.title} has another price.`);
  }
  for (const line of was.values()) told.push(`${line.book.title} was removed.`);
  return told.join(" ") || "a price or a stock is different.";
}

/** Adds copies of a book; a book that is in the cart gets more of them. @param {Book} book */
export function add(book, quantity = 1) {
  return attempt(async () => {
    await want(book, (lineOf(book.id)?.quantity ?? 0) + quantity);
    if (lineOf(book.id)) tell(`${book.title} is in your cart.`, "Show cart", () => (location.hash = "#/cart"));
  });
}

/** @param {Cart["items"][number]} line */
export function remove({ book, quantity }) {
  return attempt(async () => {
    await want(book, 0);
    if (!lineOf(book.id)) tell(`${book.title} was removed.`, "Undo", () => add(book, quantity));
  });
}

/** Brings a guest's cart into the customer's at sign-in. A merge can be sent again as it is. */
export async function mergeGuest() {
  const items = guest.get();
  if (items.length) {
    const titles = new Map(state.cart?.items.map((line) => [line.book_id, line.book.title]));
    const answer = await call("/cart/merge", { method: "POST", body: { items }, repeatable: true });
    guest.forget();
    const { results } = /** @type {import("./api.js").Schemas["MergedCart"]} */ (answer.body);
    const left = results.filter((result) => result.status === "skipped");
    const why = left.map((result) => `${titles.get(result.book_id ?? 0) ?? "A book"}: ${skippedInWords(result)}`);
    tell([`Your cart came along: ${counted(items.length - left.length, "book")}.`, ...why].join(" "));
  }
  await readCart();
  otherTabs.postMessage("changed");
}

/** Looks at the cart now and then while the page is visible: others change it. Merges a guest's that a sign-in could not (the shop was away). */
export async function follow() {
  let pause = SOON;
  let wake = () => {};
  const soon = () => {
    pause = SOON;
    wake();
  };
  for (const name of ["visibilitychange", "online"]) addEventListener(name, soon);
  otherTabs.addEventListener("message", () => void readCart());
  addEventListener("storage", ({ key }) => void (key === guest.key && readCart()));
  for (;;) {
    if (document.visibilityState === "visible" && !state.busy) {
      const different = await (tokens.get() && guest.get().length ? mergeGuest().then(() => true) : readCart()).catch(() => false);
      pause = different && tokens.get() ? SOON : Math.min(2 * pause, LATE);
    }
    await new Promise((resolve) => setTimeout((wake = () => resolve(null)), pause));
  }
}
