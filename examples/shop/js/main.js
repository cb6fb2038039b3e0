/** The page: which view an address shows, the frame around it, and what happens when the shop does not answer. */
import { html, nothing, render } from "../vendor/lit-html.js";
import * as account from "./account.js";
import { events, Problem, tokens, Unreachable } from "./api.js";
import * as book from "./book.js";
import { follow, readCart } from "./cart.js";
import * as cartView from "./cart-view.js";
import * as catalogue from "./catalogue.js";
import * as orders from "./orders.js";
import * as ways from "./sign-in.js";
import { changed, drawsWith, hush, readMe, state } from "./store.js";
import { inWords } from "./words.js";

/** @type {[RegExp, {load: (...parts: any[]) => Promise<unknown>, title: (query: any) => string, view: (query: any) => unknown}, boolean?][]} */
const ROUTES = [
  [/^$/, catalogue],
  [/^book\/(\d+)$/, book],
  [/^cart$/, cartView],
  [/^sign-in$/, ways.signInPage],
  [/^register$/, ways.registerPage],
  [/^forgot$/, ways.forgotPage],
  [/^reset-password$/, ways.resetPage],
  [/^verify-email$/, ways.verifyPage],
  [/^orders$/, orders, true],
  [/^orders\/(\d+)$/, orders, true],
  [/^account$/, account, true],
];

let route = ROUTES[0];
let query = new URLSearchParams();
/** @type {unknown} */
let failure = null;
let moves = 0;

/** Shows the view of the address: its title at once, what it loads when that is there. */
async function go() {
  const [path = "", search = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  route = ROUTES.find(([pattern]) => pattern.test(path));
  query = new URLSearchParams(search);
  const [, page, forCustomers] = route ?? [];
  if (forCustomers && !tokens()) {
    location.replace(`#/sign-in`);
    return;
  }
  const mine = (moves += 1);
  Object.assign(state, { view: undefined, faults: {} });
  failure = null;
  changed();
  try {
    const part = route?.[0].exec(path)?.[1];
    const loaded = await page?.load(part ?? query);
    if (mine === moves) state.view = loaded;
  } catch (error) {
    if (mine === moves) failure = error;
  }
  if (mine !== moves) return;
  changed();
  scrollTo(0, 0);
  if (moves > 1) queueMicrotask(() => document.querySelector("main")?.focus({ preventScroll: true }));
}

function content() {
  const [, page] = route ?? [];
  if (!page || (failure instanceof Problem && failure.status === 404)) return html`<h1>Not here</h1><p>There is no such page. <a href="#/">See all books</a>.</p>`;
  if (failure) return html`<h1>${page.title(query)}</h1><p class="issue">${inWords(failure)} <button class="link" @click=${go}>Try again</button></p>`;
  return page.view(query);
}

drawsWith(() => {
  const [, page] = route ?? [];
  document.title = `${page?.title(query) ?? "Not here"} · Bookstore`;
  document.body.setAttribute("aria-busy", String(state.busy));
  const count = state.cart?.total_items ?? 0;
  render(html`
    <a class="skip" href="#main" @click=${(/** @type {any} */ event) => { event.preventDefault(); document.querySelector("main")?.focus(); }}>Skip to the books</a>
    <header>
      <a class="brand" href="#/">Bookstore</a>
      ${catalogue.search(query)}
      <nav aria-label="Shop">
        ${state.me ? html`<a href="#/orders">Orders</a><a href="#/account">Account</a>` : html`<a href="#/sign-in">Sign in</a>`}
        <a href="#/cart" aria-label="Cart, ${count} in it">Cart <span class="badge" ?hidden=${!count}>${count}</span></a>
      </nav>
    </header>
    ${state.reachable ? nothing : html`<p class="banner" role="status">The shop does not answer at the moment. Trying again…</p>`}
    <main id="main" tabindex="-1">${content()}</main>
    <div class="message" role="status" aria-live="polite">${state.message ? html`<p>${state.message.text}
      ${state.message.action ? html`<button @click=${() => { const run = state.message?.run; hush(); run?.(); }}>${state.message.action}</button>` : nothing}
      <button aria-label="Close the message" @click=${hush}>×</button></p>` : nothing}</div>
    <footer>A client of the <a href="../docs">API</a> like any other, to look at and to copy from.</footer>`, document.body);
});

const reachable = (/** @type {boolean} */ value) => () => {
  if (state.reachable === value) return;
  state.reachable = value;
  changed();
};
events.addEventListener("offline", reachable(false));
events.addEventListener("online", reachable(true));
events.addEventListener("signedout", () => {
  state.me = null;
  if (route?.[2]) location.hash = "#/sign-in";
  void readCart().catch(() => {});
});
addEventListener("hashchange", go);
addEventListener("storage", (event) => {
  if (event.key === "shop.tokens") void readMe().then(readCart).catch(() => {}); // signed in or out in another tab
});
addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof Unreachable || event.reason instanceof Problem) event.preventDefault();
});

void go();
void readMe().catch(() => {});
void readCart().catch(() => {}).then(follow);
