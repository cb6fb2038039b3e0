/** The search field in the page's head, with suggestions while typing: links, which the arrow keys reach. */
import { html } from "../vendor/lit-html.js";
import { call } from "./api.js";
import { given } from "./forms.js";
import { state } from "./store.js";

let typing = 0; // the timer of the last key

function close() {
  clearTimeout(typing);
  typing = 0;
  state.suggestions = [];
}

/** @param {any} event */
function typed(event) {
  const q = event.target.value.trim();
  clearTimeout(typing);
  if (q.length < 2) return close();
  const mine = (typing = window.setTimeout(async () => {
    const answer = await call(`/books/suggest?${new URLSearchParams({ q, limit: "7" })}`, { signedIn: false }).catch(() => null);
    if (mine === typing) state.suggestions = answer?.body.items ?? []; // else another key came meanwhile
  }, 120));
}

/** Escape closes the list; the arrows go through the field and the links. @param {any} event */
function pressed(event) {
  if (event.key === "Escape" && state.suggestions.length) return event.preventDefault(), close(); // else the browser clears the field
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const stops = [...event.currentTarget.querySelectorAll("input, a")];
  if (!step || stops.length === 1) return;
  event.preventDefault();
  stops.at((stops.indexOf(document.activeElement) + step) % stops.length).focus();
}

/** @param {any} event */
function sent(event) {
  location.hash = `#/?${new URLSearchParams({ q: given(event).q.trim() })}`;
  close();
}

// The field says what the address asks, also when what was typed since was never sent.
addEventListener("hashchange", () => {
  const field = document.querySelector(".search input");
  if (field instanceof HTMLInputElement) field.value = new URLSearchParams(location.hash.split("?")[1]).get("q") ?? "";
});

/** @param {URLSearchParams} query */
export function searchField(query) {
  const items = state.suggestions;
  const left = (/** @type {any} */ event) => event.currentTarget.contains(event.relatedTarget) || close();
  return html`<form role="search" class="search" @submit=${sent} @keydown=${pressed} @focusout=${left}>
    <input name="q" type="search" aria-label="Search books" placeholder="Title, author or ISBN" maxlength="200" autocomplete="off"
      .value=${query.get("q") ?? ""} @input=${typed}>
    <div class="suggestions" ?hidden=${!items.length}>
      ${items.map(({ text, book_id, kind, author }) => html`<a @click=${close}
        href=${book_id ? `#/book/${book_id}` : `#/?${new URLSearchParams({ q: text })}`}>
        ${text} <span class="muted">${kind === "author" ? "author" : author}</span></a>`)}
    </div>
    <p role="status" class="unseen">${items.length ? `${items.length} suggestions: the arrow keys reach them` : ""}</p>
    <button>Search</button>
  </form>`;
}
