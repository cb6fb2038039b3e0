/** The list of books: filters with their counts, orders, pages; all of it in the address. */
import { html, nothing } from "../vendor/lit-html.js";
import { call } from "./api.js";
import { add } from "./cart.js";
import { counted, money } from "./words.js";

/** @typedef {import("./api.js").Schemas} Schemas */

const SIZE = 24;
const FILTERS = ["genre_id", "in_stock", "min_price", "max_price"];
const OTHERS = ["q", "sort", "sort_dir", "page"];
const SORTS = { "price asc": "Price: low to high", "price desc": "Price: high to low", "date desc": "Newest first", "title asc": "Title" };

let currency = "USD"; // the shop's, from the last books that were shown

/** @type {import("./store.js").Page<Schemas["BookPage"]>} */
export const cataloguePage = {
  load: async (_part, query) => {
    const known = [...query].filter(([name]) => [...OTHERS, ...FILTERS].includes(name)); // the address may have utm_source, say
    const asked = new URLSearchParams([...known, ["size", String(SIZE)], ["facets", "genre,price,in_stock"]]);
    const found = (await call(`/books?${asked}`, { signedIn: false })).body;
    currency = found.items[0]?.currency ?? currency;
    return found;
  },
  title: (_found, query) => (query.get("q") ? `Results for “${query.get("q")}”` : "All books"),
  view: (found, query) => html`<h1>${cataloguePage.title(found, query)}</h1>
    ${found.corrected && found.items.length ? html`<p class="note">Nothing is spelled exactly like that. These come close.</p>` : nothing}
    <div class="list-and-filters">
      ${filters(query, found.facets ?? { is_estimate: false })}
      <section aria-label="Books">
        <div class="list-head">
          <p role="status">${counted(found.total ?? 0, "book")}${found.total_is_estimate ? " or so" : ""}</p>
          ${sorting(query)}
        </div>
        <ul class="books">${found.items.map(card)}</ul>
        ${found.total ? nothing : html`<p>Nothing was found. Try fewer words, or <a href="#/">see all books</a>.</p>`}
        ${pager((page) => address(query, { page }), found.page, Math.ceil((found.total ?? 0) / SIZE))}
      </section>
    </div>`,
};

/** The address of the same list with other parameters; a new filter begins at its first page. @param {URLSearchParams} query @param {Record<string, string | string[] | null>} more */
function address(query, more) {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries({ page: null, ...more })) {
    next.delete(name);
    for (const each of [value ?? []].flat()) if (each) next.append(name, each);
  }
  return `#/?${next}`;
}

/** @param {{cover_image_url: string | null}} book */
export function cover(book) {
  return book.cover_image_url
    ? html`<img class="cover" src=${book.cover_image_url} alt="" width="200" height="300" loading="lazy">`
    : html`<span class="cover"></span>`;
}

/** @param {Schemas["Book"]} book */
function card(book) {
  return html`<li class="book">
    <a href="#/book/${book.id}">${cover(book)}<span class="title">${book.title}</span></a>
    <span class="muted">${book.author}</span>
    <span class="buy"><b>${money(book.price, book.currency)}</b>
      ${book.in_stock
        ? html`<button @click=${() => add(book)} aria-label="Add ${book.title} to the cart">Add</button>`
        : html`<span class="muted">Sold out</span>`}</span>
  </li>`;
}

/** @param {URLSearchParams} query */
function sorting(query) {
  const now = query.has("sort") ? `${query.get("sort")} ${query.get("sort_dir")}` : "";
  const orders = Object.entries({ "": query.get("q") ? "Best match" : "As in the shop", ...SORTS });
  const chosen = (/** @type {any} */ event) => {
    const [sort = "", sort_dir = ""] = event.target.value.split(" ");
    location.hash = address(query, { sort, sort_dir });
  };
  return html`<label>Sort <select @change=${chosen}>
    ${orders.map(([value, text]) => html`<option value=${value} ?selected=${value === now}>${text}</option>`)}</select></label>`;
}

/** @param {URLSearchParams} query @param {Schemas["Facets"]} facets */
function filters(query, facets) {
  const inStock = query.get("in_stock") === "true";
  const genres = query.getAll("genre_id");
  /** A box to tick, with the parameters of the address when it is flipped. @param {unknown} text @param {number} count @param {boolean} chosen @param {Record<string, string | string[] | null>} flipped */
  const choice = (text, count, chosen, flipped) => html`<label class="choice">
    <input type="checkbox" .checked=${chosen} @change=${() => (location.hash = address(query, flipped))}>
    ${text} <span class="count">${count}</span></label>`;
  return html`<details class="filters" ?open=${matchMedia("(min-width: 48rem)").matches}>
    <summary>Filters</summary>
    ${choice("In stock", facets.in_stock?.find((each) => each.value)?.count ?? 0, inStock, { in_stock: inStock ? null : "true" })}
    <fieldset><legend>Genre</legend>
      ${facets.genre?.map(({ id, name, count }) => {
        const others = genres.filter((each) => each !== String(id));
        const chosen = others.length < genres.length;
        return choice(name, count, chosen, { genre_id: chosen ? others : [...genres, String(id)] });
      })}
    </fieldset>
    <fieldset><legend>Price</legend>
      ${facets.price?.map(({ min_price, max_price, count }) => {
        const chosen = query.get("min_price") === min_price && query.get("max_price") === max_price;
        const text = `${money(min_price, currency)} ${max_price ? `to ${money(max_price, currency)}` : "and more"}`;
        return choice(text, count, chosen, chosen ? { min_price: null, max_price: null } : { min_price, max_price });
      })}
    </fieldset>
    <a href=${address(new URLSearchParams(), { q: query.get("q") })} ?hidden=${!FILTERS.some((name) => query.has(name))}>Clear all filters</a>
  </details>`;
}

/** Links to the pages beside this one; `to` has the address of a page. @param {(page: string) => string} to @param {number} page @param {number} pages */
export function pager(to, page, pages) {
  if (pages && page > pages) return html`<p>There is no page ${page}. <a href=${to("1")}>Go to the first one</a>.</p>`;
  return html`<nav class="pager" aria-label="Pages" ?hidden=${pages < 2}>
    <a href=${to(String(page - 1))} rel="prev" ?hidden=${page <= 1}>← Previous</a>
    <span>Page ${page} of ${pages}</span>
    <a href=${to(String(page + 1))} rel="next" ?hidden=${page >= pages}>Next →</a>
  </nav>`;
}
