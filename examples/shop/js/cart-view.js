/** The cart: its lines, what is to be told about each, and the way to an order. */
import { html, nothing } from "../vendor/lit-html.js";
import { customer } from "./api.js";
import { readCart, remove, want } from "./cart.js";
import { cover } from "./catalogue.js";
import { begun, orderForm, send } from "./checkout.js";
import { attempt, state } from "./store.js";
import { counted, issueInWords, money } from "./words.js";

/** @typedef {import("./store.js").Line} Line */

/** @type {import("./store.js").Page<void>} */
export const cartPage = {
  load: async () => {
    await readCart();
    const last = begun.get();
    const empty = state.cart?.items.length === 0;
    if (empty && last?.customer === customer()) await attempt(() => send(last)); // it was made, and its answer lost
  },
  title: () => "Your cart",
  view: () => {
    const cart = state.cart;
    if (!cart?.items.length) return html`<h1>Your cart</h1><p>There is nothing in it. <a href="#/">Find a book</a>.</p>`;
    return html`<h1>Your cart</h1>
      <div class="cart-and-order">
        <div>
          <ul>${cart.items.map((each) => line(each, cart.currency))}</ul>
          <p class="total">${counted(cart.total_items, "book")} <b>${money(cart.total_price, cart.currency)}</b></p>
        </div>
        ${state.me ? orderForm(cart) : html`<p><a class="primary" href="#/sign-in?next=cart">Sign in to order</a></p>`}
      </div>`;
  },
};

/** @param {Line} each @param {string} currency */
function line(each, currency) {
  const { title, author } = each.book;
  const most = Math.max(1, each.available_quantity);
  return html`<li class="line">
    <a href="#/book/${each.book_id}" tabindex="-1" aria-hidden="true">${cover(each.book)}</a>
    <div>
      <a class="title" href="#/book/${each.book_id}">${title}</a>
      <span class="muted">${author}</span>
      ${each.issues.map((issue) => html`<p class="issue">${issueInWords(issue, currency)} ${remedy(each, issue)}</p>`)}
      <div class="quantity">
        ${button(each, each.quantity - 1, "−", "One copy less of", each.quantity > 1)}
        <span aria-label="Copies of ${title}">${each.quantity}</span>
        ${button(each, each.quantity + 1, "+", "One copy more of", each.quantity < most)}
        <button class="link" aria-disabled=${state.busy} aria-label="Remove ${title}" @click=${() => remove(each)}>Remove</button>
      </div>
    </div>
    <b>${money(each.line_total, currency)}</b>
  </li>`;
}

/** @param {Line} each @param {number} quantity @param {string} text @param {string} [label] @param {boolean} [possible] */
function button(each, quantity, text, label, possible = true) {
  return html`<button class=${label ? "step" : "link"} aria-disabled=${state.busy || !possible} aria-label="${label ?? text} ${each.book.title}"
    @click=${() => possible && attempt(() => want(each.book, quantity))}>${text}</button>`;
}

/** What can be done about an issue. @param {Line} each @param {import("./api.js").Schemas["Issue"]} issue */
function remedy(each, issue) {
  if (issue.code === "PRICE_CHANGED") return button(each, each.quantity, "Keep it");
  if (issue.code === "INSUFFICIENT_STOCK") return button(each, issue.available, `Take ${issue.available}`);
  return nothing;
}
