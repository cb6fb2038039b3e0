/**
 * The cart and the order that is made of it.
 *
 * @typedef {import("./api.js").Schemas} Schemas
 * @typedef {import("./store.js").Line} Line
 * @typedef {import("./store.js").Cart} Cart
 */
import { html, nothing } from "../vendor/lit-html.js";
import { call, Problem, tokens } from "./api.js";
import { begun, cartIsStale, forgetOrder, keepOrder, keepPrice, readCart, remove, seen, setQuantity } from "./cart.js";
import { cover } from "./catalogue.js";
import { field } from "./account.js";
import { attempt, state, tell } from "./store.js";
import { counted, issueInWords, money } from "./words.js";

const inWords = new Intl.DisplayNames(undefined, { type: "region" });
/** Where this shop delivers. @type {[string, string][]} */
const COUNTRIES = "AT AU BE BG CA CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IN IT JP LT LU LV MT MX NL NO NZ PL PT RO SE SI SK UA US"
  .split(" ").map((code) => /** @type {[string, string]} */ ([code, inWords.of(code) ?? code])).sort((a, b) => a[1].localeCompare(b[1]));

export async function load() {
  await readCart();
  const last = begun();
  if (last && tokens() && !state.cart?.items.length) await attempt(() => send(last)); // it was made, and its answer lost
  return true;
}

export function title() {
  return "Your cart";
}

export function view() {
  const cart = state.cart;
  return html`<h1>Your cart</h1>${cart?.items.length
    ? html`<ul class="lines">${cart.items.map((each) => line(each, cart.currency))}</ul>
        <p class="total">${counted(cart.total_items, "book")} <b>${money(cart.total_price, cart.currency)}</b></p>
        ${state.me ? checkout(cart) : html`<p><a class="primary" href="#/sign-in?next=cart">Sign in to order</a></p>`}`
    : html`<p>There is nothing in it. <a href="#/">Find a book</a>.</p>`}`;
}

/** @param {Line} each @param {string} currency */
function line(each, currency) {
  const name = each.book.title;
  const most = Math.max(1, each.available_quantity);
  return html`<li class="line">
    <a href="#/book/${each.book_id}" tabindex="-1" aria-hidden="true">${cover({ ...each.book, id: each.book_id })}</a>
    <div>
      <a class="title" href="#/book/${each.book_id}">${name}</a>
      <span class="muted">${each.book.author}</span>
      ${each.issues.map((issue) => html`<p class="issue">${issueInWords(issue, currency)} ${remedy(each, issue)}</p>`)}
      <div class="quantity">
        <button ?disabled=${state.busy || each.quantity <= 1} aria-label="One copy less of ${name}" @click=${() => setQuantity(each, each.quantity - 1)}>−</button>
        <span aria-label="Copies of ${name}">${each.quantity}</span>
        <button ?disabled=${state.busy || each.quantity >= most} aria-label="One copy more of ${name}" @click=${() => setQuantity(each, each.quantity + 1)}>+</button>
        <button class="link" ?disabled=${state.busy} aria-label="Remove ${name}" @click=${() => remove(each)}>Remove</button>
      </div>
    </div>
    <b>${money(each.line_total, currency)}</b>
  </li>`;
}

/** @param {Line} each @param {Schemas["Issue"]} issue */
function remedy(each, issue) {
  if (issue.code === "PRICE_CHANGED") return html`<button class="link" ?disabled=${state.busy} @click=${() => keepPrice(each)}>Keep it</button>`;
  if (issue.code === "INSUFFICIENT_STOCK") return html`<button class="link" ?disabled=${state.busy} @click=${() => setQuantity(each, issue.available)}>Take ${issue.available}</button>`;
  return nothing;
}

/** @param {Cart} cart */
function checkout(cart) {
  return html`<form class="card" @submit=${(/** @type {any} */ event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    void attempt(() => order(given));
  }}>
    <h2>Order</h2>
    ${field("Name", "name", { autocomplete: "name", required: true, fault: "contact.name" })}
    ${field("Street and number", "line1", { autocomplete: "address-line1", required: true, fault: "contact.address.line1" })}
    <div class="pair">
      ${field("Postcode", "postcode", { autocomplete: "postal-code", required: true, fault: "contact.address.postcode" })}
      ${field("City", "city", { autocomplete: "address-level2", required: true, fault: "contact.address.city" })}
    </div>
    <label>Country <select name="country" autocomplete="country" required>
      <option value="">Choose…</option>
      ${COUNTRIES.map(([code, name]) => html`<option value=${code}>${name}</option>`)}</select></label>
    ${field("Note for the shop", "note", { fault: "note" })}
    ${cart.checkout_ready ? nothing : html`<p class="issue">Some books cannot be ordered like this: see above.</p>`}
    <button class="primary" ?disabled=${state.busy || !cart.checkout_ready}>Order for ${money(cart.total_price, cart.currency)}</button>
  </form>`;
}

/**
 * Orders what the customer sees, once. The key is kept until there is an answer, also across a reload: sent again, it
 * gets the order that it made. `If-Match` refuses the order of a cart that is not the one on the screen.
 *
 * @param {Record<string, any>} given
 */
function order({ note, name, ...address }) {
  const body = { ...(note ? { note } : {}), contact: { name, address } };
  const last = begun();
  const same = last?.etag === seen() && JSON.stringify(last.body) === JSON.stringify(body);
  return send({ key: same ? last.key : crypto.randomUUID(), etag: seen(), body });
}

/** @param {import("./cart.js").Begun} wanted */
async function send(wanted) {
  keepOrder(wanted);
  try {
    const made = await call("/orders/checkout", {
      method: "POST", body: wanted.body, repeatable: true, headers: { "Idempotency-Key": wanted.key, "If-Match": wanted.etag },
    });
    done(made.body.id, `Thank you. Your order is ${made.body.number}.`);
  } catch (error) {
    // No answer, or one that does not say what became of an earlier try: the key is kept.
    if (!(error instanceof Problem) || error.status >= 500 || [401, 429].includes(error.status)) throw error;
    forgetOrder();
    await cartIsStale();
    if (error.code !== "ORDER_CART_EMPTY" || !error.body.order_id) throw error;
    done(error.body.order_id, "This cart was ordered already: here is the order.");
  }
}

/** @param {number} id @param {string} text */
function done(id, text) {
  forgetOrder();
  void cartIsStale();
  location.hash = `#/orders/${id}`;
  tell(text);
}
