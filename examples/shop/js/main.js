/** The page: which view an address shows, the frame around it, and what happens when the shop does not answer. */
import { html, nothing, render } from "../vendor/lit-html.js";
import { accountPage } from "./account.js";
import { customer, events, Problem, tokens } from "./api.js";
import { bookPage } from "./book.js";
import { follow, readCart } from "./cart.js";
import { cartPage } from "./cart-view.js";
import { cataloguePage } from "./catalogue.js";
import { orderPage, ordersPage } from "./orders.js";
import { searchField } from "./search.js";
import { forgotPage, registerPage, resetPage, signInPage, verifyPage } from "./sign-in.js";
import { readMe, state } from "./store.js";
import { inWords } from "./words.js";

/** @type {import("./store.js").Page<any>} */
const nowhere = {
  title: () => "Not here",
  view: () => html`<h1>Not here</h1><p>There is no such page. <a href="#/">See all books</a>.</p>`,
};
/** @type {[RegExp, import("./store.js").Page<any>, "customers"?][]} */
const ROUTES = [
  [/^$/, cataloguePage],
  [/^book\/(\d+)$/, bookPage],
  [/^cart$/, cartPage],
  [/^sign-in$/, signInPage],
  [/^register$/, registerPage],
  [/^forgot$/, forgotPage],
  [/^reset-password$/, resetPage],
  [/^verify-email$/, verifyPage],
  [/^orders$/, ordersPage, "customers"],
  [/^orders\/(\d+)$/, orderPage, "customers"],
  [/^account$/, accountPage, "customers"],
  [/^/, nowhere],
];

let page = nowhere;
let path = "";
let query = new URLSearchParams();
let forCustomers = false;
let failure = /** @type {unknown} */ (null);
let moves = 0;

/** Shows the view of the address. What it has shown stays until the new is there, where only the query is another. */
async function go() {
  const [address = "", search = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [pattern, found, who] = ROUTES.find(([each]) => each.test(address)) ?? [/^/, nowhere];
  if (who && !tokens.get()) return location.replace(`#/sign-in?next=${address}`);
  const mine = (moves += 1);
  const moved = mine === 1 || address !== path;
  [page, path, query, forCustomers, failure] = [found, address, new URLSearchParams(search), Boolean(who), null];
  Object.assign(state, { faults: {}, loaded: moved ? undefined : state.loaded ?? undefined });
  const loaded = await Promise.resolve(page.load?.(pattern.exec(path)?.[1] ?? "", query)).catch((error) => {
    if (mine === moves) failure = error;
  });
  if (mine !== moves) return;
  if (failure instanceof Problem && failure.status === 404) [page, failure] = [nowhere, null];
  state.loaded = loaded ?? null;
  if (!moved && !query.has("page")) return; // a filter: the list, its place and the focus stay
  scrollTo(0, 0);
  if (mine > 1) queueMicrotask(focusMain);
}

function focusMain() {
  document.querySelector("main")?.focus({ preventScroll: true });
}

function content() {
  const title = page.title(state.loaded ?? undefined, query);
  if (failure) return html`<h1>${title}</h1><p class="issue">${inWords(failure)} ${failure instanceof Problem && failure.code === "AUTH_LINK_INVALID"
    ? html`<a href="#/account">Ask for it in your account</a>` : html`<button class="link" @click=${go}>Try again</button>`}</p>`;
  if (state.loaded === undefined) return html`<h1>${title}</h1><p class="muted" role="status">Looking…</p>`;
  return page.view(state.loaded, query);
}

events.addEventListener("draw", () => {
  const { cart, me, message, busy, reachable } = state;
  const count = cart?.total_items ?? 0;
  document.title = `${page.title(state.loaded ?? undefined, query)} · Bookstore`;
  document.body.setAttribute("aria-busy", String(busy));
  const focused = document.activeElement;
  render(html`
    <header>
      <button class="skip" @click=${focusMain}>Skip to the books</button>
      <a class="brand" href="#/">Bookstore</a>
      ${searchField(query)}
      <nav aria-label="Shop">
        ${me ? html`<a href="#/orders">Orders</a><a href="#/account">Account</a>` : html`<a href="#/sign-in">Sign in</a>`}
        <a href="#/cart" aria-label="Cart, ${count} in it">Cart <span class="badge" ?hidden=${!count}>${count}</span></a>
      </nav>
    </header>
    <main id="main" tabindex="-1">
      <p class="note" role="status" ?hidden=${reachable}>The shop does not answer at the moment. Trying again…</p>
      ${content()}
    </main>
    <div class="message" role="status">${message ? html`<p @click=${() => (state.message = null)}>${message.text}
      ${message.action ? html`<button @click=${message.run}>${message.action}</button>` : nothing}
      <button aria-label="Close the message">×</button></p>` : nothing}</div>
    <footer>A client of the <a href="../docs">API</a> like any other, to look at and to copy from.</footer>`, document.body);
  if (!focused?.isConnected) focusMain(); // what had it is gone: a line that was removed, say
});

events.addEventListener("offline", () => (state.reachable = false));
events.addEventListener("online", () => (state.reachable = true));
events.addEventListener("signedout", () => {
  state.me = null;
  if (forCustomers) location.hash = `#/sign-in?next=${path}`;
  void readCart();
});
addEventListener("hashchange", go);
addEventListener("storage", (event) => {
  if (event.key !== tokens.key) return;
  if (forCustomers && state.me?.id !== customer()) void go(); // signed in or out in another tab: this view is of the one before
  void readMe().then(readCart);
});
addEventListener("unhandledrejection", (event) => event.reason instanceof Problem && event.preventDefault()); // it is tried again

void go();
void readMe();
void follow();
