/** One book. */
import { html, nothing } from "../vendor/lit-html.js";
import { call } from "./api.js";
import { add, lineOf } from "./cart.js";
import { cover } from "./catalogue.js";
import { state } from "./store.js";
import { counted, money } from "./words.js";

/** @param {string} id */
export async function load(id) {
  return (await call(`/books/${encodeURIComponent(id)}`, { signedIn: false })).body;
}

export function title() {
  return state.view ? `${state.view.title}, ${state.view.author}` : "Book";
}

export function view() {
  /** @type {import("./api.js").Schemas["Book"] | undefined} */
  const book = state.view;
  if (!book) return html`<p class="muted" role="status">Looking…</p>`;
  const line = lineOf(book.id);
  return html`<article class="one-book">
    ${cover(book)}
    <div>
      <h1>${book.title}</h1>
      <p><a href="#/?${new URLSearchParams({ q: book.author })}">${book.author}</a></p>
      <p class="price">${money(book.price, book.currency)}</p>
      <p>${book.stock_quantity > 5 ? "In stock" : book.in_stock ? `Only ${counted(book.stock_quantity, "copy", "copies")} left` : "Sold out"}</p>
      ${book.in_stock ? html`<button class="primary" ?disabled=${state.busy} @click=${() => add(book)}>Add to cart</button>` : nothing}
      ${line ? html`<p class="muted">${counted(line.quantity, "copy", "copies")} in <a href="#/cart">your cart</a></p>` : nothing}
      <p>${book.description}</p>
      <dl>
        ${book.publish_date ? html`<dt>First published</dt><dd>${book.publish_date.slice(0, 4)}</dd>` : nothing}
        ${book.isbn ? html`<dt>ISBN</dt><dd>${book.isbn}</dd>` : nothing}
      </dl>
    </div>
  </article>`;
}
