/** One book. */
import { html, nothing } from "../vendor/lit-html.js";
import { call } from "./api.js";
import { add, lineOf } from "./cart.js";
import { cover } from "./catalogue.js";
import { state } from "./store.js";
import { counted, money } from "./words.js";

/** @type {import("./store.js").Page<import("./api.js").Schemas["Book"]>} */
export const bookPage = {
  load: async (id) => (await call(`/books/${id}`, { signedIn: false })).body,
  title: (book) => (book ? `${book.title}, ${book.author}` : "Book"),
  view: (book) => html`<article class="one-book">
    ${cover(book)}
    <div>
      <h1>${book.title}</h1>
      <p><a href="#/?${new URLSearchParams({ q: book.author })}">${book.author}</a></p>
      <p class="price">${money(book.price, book.currency)}</p>
      <p>${book.stock_quantity > 5 ? "In stock" : book.in_stock ? `Only ${counted(book.stock_quantity, "copy", "copies")} left` : "Sold out"}</p>
      <button class="primary" ?disabled=${!book.in_stock} aria-disabled=${state.busy} @click=${() => add(book)}>Add to cart</button>
      ${lineOf(book.id) ? html`<p><a href="#/cart">In your cart: ${counted(lineOf(book.id)?.quantity ?? 0, "copy", "copies")}</a></p>` : nothing}
      <p>${book.description}</p>
      <dl>
        ${book.publish_date ? html`<dt>First published</dt><dd>${book.publish_date.slice(0, 4)}</dd>` : nothing}
        ${book.isbn ? html`<dt>ISBN</dt><dd>${book.isbn}</dd>` : nothing}
      </dl>
    </div>
  </article>`,
};
