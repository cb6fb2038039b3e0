/**
 * The cart: a guest's in the browser, shown by /cart/preview; a customer's in the shop, changed with If-Match.
 *
 * @typedef {import("./store.js").Line} Line
 * @typedef {import("./store.js").Cart} Cart
 * @typedef {{book_id: number, quantity: number, price_seen: string}} Entry
 * @typedef {{key: string, etag: string, body: unknown}} Begun an order that was sent
 */
import { call, Problem, tokens } from "./api.js";
import { attempt, changed, state, tell } from "./store.js";
import { counted, skippedInWords } from "./words.js";

const GUEST = "shop.guest";
const BEGUN = "shop.checkout";
const [SOON, LATE] = [8000, 120000]; // milliseconds between two looks at a cart: doubled while nothing happens

let etag = "";
const otherTabs = new BroadcastChannel("shop.cart");

/** @returns {Entry[]} */
function entries() {
  return JSON.parse(localStorage.getItem(GUEST) ?? "[]");
}

/** @param {Entry[]} kept */
async function keep(kept) {
  localStorage.setItem(GUEST, JSON.stringify(kept));
  await readCart();
}

/** Reads the cart anew, or learns that it is as it was (304). Returns whether something changed. */
export async function readCart() {
  if (!tokens()) {
    const items = entries();
    etag = "";
    const cart = items.length ? (await call("/cart/preview", { method: "POST", body: { items }, repeatable: true, signedIn: false })).body : null;
    if (tokens()) return true; // signed in meanwhile: the page shows the customer's cart
    state.cart = cart;
    changed();
    return true;
  }
  const answer = await call("/cart", { headers: etag ? { "If-None-Match": etag } : {} });
  if (answer.status === 304) return false;
  show(answer);
  return true;
}

/** @param {import("./api.js").Answer} answer */
function show(answer) {
  etag = answer.headers.get("ETag") ?? "";
  state.cart = answer.body;
  changed();
}

/** The line of a book, if the cart has it. @param {number} id */
export function lineOf(id) {
  return state.cart?.items.find((line) => line.book_id === id);
}

/**
 * One change of a customer's cart, for the state that is on the screen. When another device was first (412), the cart is
 * shown as it is now, with what is different, and nothing is changed.
 *
 * @param {string} path @param {string} method @param {unknown} [body]
 */
async function change(path, method, body) {
  const before = state.cart;
  try {
    const answer = await call(`${path}?return=cart`, { method, body, headers: etag ? { "If-Match": etag } : {}, repeatable: true });
    show(answer);
    otherTabs.postMessage("changed");
  } catch (error) {
    if (!(error instanceof Problem) || ![404, 412].includes(error.status)) throw error;
    etag = "";
    await readCart();
    // A change that was repeated may have been made the first time, and is then what the cart shows.
    if (error.status === 412) tell(`Your cart was changed somewhere else: ${differences(before, state.cart)} Try again if you still want to.`);
    else throw error;
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

/** Adds copies of a book; a book that is in the cart gets more of them. @param {{id: number, title: string, price: string}} book */
export function add(book, quantity = 1) {
  return attempt(async () => {
    const there = lineOf(book.id);
    if (there) await write(there, there.quantity + quantity);
    else if (!tokens()) await keep([...entries(), { book_id: book.id, quantity, price_seen: book.price }]);
    else await change("/cart/items", "POST", { book_id: book.id, quantity });
    if (lineOf(book.id)) tell(`${book.title} is in your cart.`, "Show cart", () => (location.hash = "#/cart"));
  });
}

/** @param {Line} line @param {number} quantity */
async function write(line, quantity) {
  if (tokens()) return change(`/cart/items/${line.id}`, "PUT", { quantity });
  await keep(entries().map((entry) => (entry.book_id === line.book_id ? { ...entry, quantity } : entry)));
}

/** @param {Line} line @param {number} quantity */
export function setQuantity(line, quantity) {
  return attempt(() => write(line, quantity));
}

/** Confirms today's price: the same quantity again says so. @param {Line} line */
export function keepPrice(line) {
  return attempt(async () => {
    if (tokens()) return change(`/cart/items/${line.id}`, "PUT", { quantity: line.quantity });
    await keep(entries().map((entry) => (entry.book_id === line.book_id ? { ...entry, price_seen: line.book.price } : entry)));
  });
}

/** @param {Line} line */
export function remove(line) {
  const book = { ...line.book, id: line.book_id };
  return attempt(async () => {
    if (tokens()) await change(`/cart/items/${line.id}`, "DELETE");
    else await keep(entries().filter((entry) => entry.book_id !== line.book_id));
    if (!lineOf(line.book_id)) tell(`${book.title} was removed.`, "Undo", () => add(book, line.quantity));
  });
}

/** Brings a guest's cart into the customer's at sign-in. A merge can be sent again as it is. */
export async function mergeGuest() {
  const items = entries();
  if (items.length) {
    const titles = new Map((state.cart?.items ?? []).map((line) => [line.book_id, line.book.title]));
    const answer = await call("/cart/merge", { method: "POST", body: { items }, repeatable: true });
    localStorage.removeItem(GUEST);
    const { results } = /** @type {import("./api.js").Schemas["MergedCart"]} */ (answer.body);
    const left = results.filter((result) => result.status === "skipped");
    const why = left.map((result) => `${titles.get(result.book_id ?? 0) ?? "A book"}: ${skippedInWords(result)}`);
    tell([`Your cart came along: ${counted(items.length - left.length, "book")}.`, ...why].join(" "));
  }
  etag = "";
  await readCart();
  otherTabs.postMessage("changed");
}

/** Keeps an order until its answer is there, also across a reload. @param {Begun} order */
export function keepOrder(order) {
  localStorage.setItem(BEGUN, JSON.stringify(order));
}

export function forgetOrder() {
  localStorage.removeItem(BEGUN);
}

/** @returns {Begun | null} the order whose answer is not there yet */
export function begun() {
  return JSON.parse(localStorage.getItem(BEGUN) ?? "null");
}

/** The state of the cart that the customer sees, for an order. */
export function seen() {
  return etag;
}

/** Another tab has changed the cart, or an order has emptied it. */
export async function cartIsStale() {
  etag = "";
  await readCart();
}

/** Looks at the cart now and then while the page is visible: other devices change it, and so do prices and stocks. */
export function follow() {
  let pause = SOON;
  let timer = setTimeout(look, pause);
  async function look() {
    clearTimeout(timer);
    if (document.visibilityState === "visible" && !state.busy) {
      const different = await readCart().catch(() => false);
      pause = different && tokens() ? SOON : Math.min(2 * pause, LATE);
    }
    timer = setTimeout(look, pause);
  }
  const soon = () => {
    pause = SOON;
    void look();
  };
  document.addEventListener("visibilitychange", soon);
  addEventListener("online", soon);
  otherTabs.addEventListener("message", () => cartIsStale().catch(() => {}));
  addEventListener("storage", (event) => {
    if (event.key === GUEST && !tokens()) void readCart().catch(() => {});
  });
}
