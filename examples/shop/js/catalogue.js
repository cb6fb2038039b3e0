/**
 * The list of books: search, suggestions while typing, filters with their counts, pages.
 *
 * @typedef {import("./api.js").Schemas} Schemas
 */
import { html, nothing } from "../vendor/lit-html.js";
import { call } from "./api.js";
import { API } from "./config.js";
import { add } from "./cart.js";
import { changed, state } from "./store.js";
import { counted, money } from "./words.js";

const SIZE = 24;
const FILTERS = ["q", "genre_id", "in_stock", "min_price", "max_price"]; // an address may have more, such as utm_source
let currency = "USD"; // the shop's, from the last books that were shown
const SORTS = { "price:asc": "Price: low to high", "price:desc": "Price: high to low", "date:desc": "Newest first", "title:asc": "Title" };

/** @param {URLSearchParams} query */
export async function load(query) {
  const asked = new URLSearchParams([...query].filter(([name]) => FILTERS.includes(name)));
  const [sort, direction] = (query.get("sort") ?? "").split(":");
  if (sort) asked.set("sort", sort);
  if (direction) asked.set("sort_dir", direction);
  asked.set("page", query.get("page") ?? "1");
  asked.set("size", String(SIZE));
  asked.set("facets", "genre,price,in_stock");
  /** @type {Schemas["BookPage"]} */
  const found = (await call(`/books?${asked}`, { signedIn: false })).body;
  currency = found.items[0]?.currency ?? currency;
  return found;
}

/** The address of the same list with other parameters; a new filter begins at its first page. @param {URLSearchParams} query @param {Record<string, string | string[] | null>} more */
function address(query, more) {
  const next = new URLSearchParams(query);
  next.delete("page");
  for (const [name, value] of Object.entries(more)) {
    next.delete(name);
    for (const each of [value ?? []].flat()) if (each) next.append(name, each);
  }
  return `#/?${next}`;
}

/** A cover that the shop has, else one that the demo draws. @param {{id: number, cover_image_url: string | null}} book */
export function cover(book) {
  return html`<img class="cover" src=${book.cover_image_url ?? `${API}/shop/covers/${book.id}.svg`} alt="" width="200" height="300" loading="lazy">`;
}

/** @param {URLSearchParams} query */
export function title(query) {
  const q = query.get("q");
  return q ? `“${q}”` : "Books";
}

/** @param {URLSearchParams} query */
export function view(query) {
  /** @type {Schemas["BookPage"] | undefined} */
  const found = state.view;
  const q = query.get("q") ?? "";
  if (!found) return html`<h1>${title(query)}</h1><p class="muted" role="status">Looking…</p>`;
  const pages = Math.ceil((found.total ?? 0) / SIZE);
  return html`
    <h1>${q ? html`Results for ${title(query)}` : "All books"}</h1>
    ${found.corrected && found.items.length ? html`<p class="note">Nothing is spelled exactly like that. These come close.</p>` : nothing}
    <div class="list-and-filters">
      ${filters(query, found.facets ?? { is_estimate: false })}
      <section aria-label="Books">
        <div class="list-head">
          <p role="status">${counted(found.total ?? 0, "book")}${found.total_is_estimate ? " or so" : ""}</p>
          <label>Sort
            <select @change=${(/** @type {any} */ event) => (location.hash = address(query, { sort: event.target.value }))}>
              ${Object.entries({ "": query.get("q") ? "Best match" : "As in the shop", ...SORTS }).map(([value, text]) => html`<option value=${value} ?selected=${value === (query.get("sort") ?? "")}>${text}</option>`)}
            </select>
          </label>
        </div>
        ${found.items.length ? html`<ul class="books">${found.items.map(card)}</ul>` : html`<p>Nothing was found. Try fewer words, or <a href="#/">see all books</a>.</p>`}
        ${pages > 1 ? pager(query, found.page, pages) : nothing}
      </section>
    </div>`;
}

/** @param {Schemas["Book"]} book */
function card(book) {
  return html`<li class="book">
    <a href="#/book/${book.id}">${cover(book)}<span class="title">${book.title}</span></a>
    <span class="muted">${book.author}</span>
    <span class="buy"><b>${money(book.price, book.currency)}</b>
      ${book.in_stock ? html`<button @click=${() => add(book)} aria-label="Add ${book.title} to the cart">Add</button>` : html`<span class="muted">Sold out</span>`}
    </span>
  </li>`;
}

/** @param {URLSearchParams} query @param {Schemas["Facets"]} facets */
function filters(query, facets) {
  const genres = query.getAll("genre_id");
  const flip = (/** @type {string} */ id) => (genres.includes(id) ? genres.filter((each) => each !== id) : [...genres, id]);
  const go = (/** @type {Record<string, string | string[] | null>} */ more) => (location.hash = address(query, more));
  const price = [query.get("min_price") ?? "", query.get("max_price") ?? ""].join("–");
  const inStock = facets.in_stock?.find((each) => each.value)?.count ?? 0;
  return html`<details class="filters" ?open=${matchMedia("(min-width: 48rem)").matches}>
    <summary>Filters</summary>
    <label class="choice"><input type="checkbox" .checked=${query.get("in_stock") === "true"} @change=${(/** @type {any} */ event) => go({ in_stock: event.target.checked ? "true" : null })}>
      In stock <span class="count">${inStock}</span></label>
    <fieldset><legend>Genre</legend>
      ${facets.genre?.map((genre) => html`<label class="choice">
        <input type="checkbox" .checked=${genres.includes(String(genre.id))} @change=${() => go({ genre_id: flip(String(genre.id)) })}>
        ${genre.name} <span class="count">${genre.count}</span></label>`)}
    </fieldset>
    <fieldset><legend>Price</legend>
      ${facets.price?.map((step) => {
        const chosen = price === [step.min_price ?? "", step.max_price ?? ""].join("–");
        return html`<label class="choice"><input type="checkbox" .checked=${chosen}
          @change=${() => go(chosen ? { min_price: null, max_price: null } : { min_price: step.min_price, max_price: step.max_price })}>
          ${step.max_price ? `${money(step.min_price ?? "0", currency)} to ${money(step.max_price, currency)}` : `${money(step.min_price, currency)} and more`}
          <span class="count">${step.count}</span></label>`;
      })}
    </fieldset>
    ${[...query.keys()].some((name) => name !== "q" && FILTERS.includes(name)) ? html`<a href=${address(new URLSearchParams({ q: query.get("q") ?? "" }), {})}>Clear all filters</a>` : nothing}
  </details>`;
}

/** @param {URLSearchParams} query @param {number} page @param {number} pages */
function pager(query, page, pages) {
  const to = (/** @type {number} */ number) => `${address(query, {})}&page=${number}`;
  return html`<nav class="pager" aria-label="Pages">
    ${page > 1 ? html`<a href=${to(page - 1)} rel="prev">← Previous</a>` : html`<span></span>`}
    <span>Page ${page} of ${pages}</span>
    ${page < pages ? html`<a href=${to(page + 1)} rel="next">Next →</a>` : html`<span></span>`}
  </nav>`;
}

// --- The search field and its suggestions, in the page's head: a combobox as the ARIA practices have it. ---

/** @type {{items: Schemas["Suggestion"][], chosen: number, timer: ReturnType<typeof setTimeout> | undefined, asked: string}} */
const suggestions = { items: [], chosen: -1, timer: undefined, asked: "" };

function close() {
  clearTimeout(suggestions.timer);
  Object.assign(suggestions, { items: [], chosen: -1, asked: "" });
  changed();
}

/** @param {any} event */
function typed(event) {
  const q = event.target.value.trim();
  clearTimeout(suggestions.timer);
  suggestions.asked = q;
  if (q.length < 2) return close();
  suggestions.timer = setTimeout(async () => {
    const answer = await call(`/books/suggest?q=${encodeURIComponent(q)}&limit=7`, { signedIn: false }).catch(() => null);
    if (suggestions.asked !== q) return; // a later key was faster
    Object.assign(suggestions, { items: answer?.body.items ?? [], chosen: -1 });
    changed();
  }, 120);
}

/** @param {Schemas["Suggestion"]} item */
function open(item) {
  location.hash = item.book_id ? `#/book/${item.book_id}` : `#/?${new URLSearchParams({ q: item.text })}`;
  close();
}

/** @param {any} event */
function pressed(event) {
  const { items, chosen } = suggestions;
  if (event.key === "Escape") close();
  if (!items.length || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  const item = items[chosen];
  if (event.key === "Enter" && !item) return;
  event.preventDefault();
  if (event.key === "Enter" && item) return open(item);
  suggestions.chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
  changed();
}

/** @param {URLSearchParams} query */
export function search(query) {
  const { items, chosen } = suggestions;
  return html`<form role="search" class="search" @submit=${(/** @type {any} */ event) => {
    event.preventDefault();
    close();
    location.hash = `#/?${new URLSearchParams({ q: new FormData(event.target).get("q")?.toString().trim() ?? "" })}`;
  }}>
    <input name="q" type="search" aria-label="Search books" placeholder="Title, author or ISBN" maxlength="200" autocomplete="off" role="combobox"
      aria-expanded=${items.length > 0} aria-controls="suggestions" aria-autocomplete="list" aria-activedescendant=${chosen < 0 ? "" : `suggestion-${chosen}`}
      .value=${query.get("q") ?? ""} @input=${typed} @keydown=${pressed} @blur=${() => setTimeout(close, 150)}>
    <ul id="suggestions" role="listbox" aria-label="Suggestions" ?hidden=${!items.length}>
      ${items.map((item, index) => html`<li id="suggestion-${index}" role="option" aria-selected=${index === chosen} @mousedown=${() => open(item)}>
        ${item.text} <span class="muted">${item.kind === "author" ? "author" : item.author}</span></li>`)}
    </ul>
    <button>Search</button>
  </form>`;
}
