/**
 * The customer's orders, and one of them.
 *
 * @typedef {import("./api.js").Schemas} Schemas
 */
import { html, nothing } from "../vendor/lit-html.js";
import { call } from "./api.js";
import { cartIsStale } from "./cart.js";
import { attempt, changed, state, tell } from "./store.js";
import { counted, day, money, skippedInWords } from "./words.js";

/** @type {Record<string, string>} */
const STATUS = { placed: "Waiting for payment", paid: "Paid", shipped: "On its way", cancelled: "Cancelled" };

/** @param {string | URLSearchParams} id of one order; all of them without */
export async function load(id) {
  if (typeof id === "string") return (await call(`/orders/${encodeURIComponent(id)}`)).body;
  const answer = await call("/orders?size=50");
  return { items: answer.body, total: Number(answer.headers.get("X-Total-Count") ?? answer.body.length) };
}

export function title() {
  return state.view?.number ? `Order ${state.view.number}` : "Your orders";
}

export function view() {
  const shown = state.view;
  if (!shown) return html`<h1>${title()}</h1><p class="muted" role="status">Looking…</p>`;
  return shown.number ? one(shown) : list(shown);
}

/** @param {{items: Schemas["Order"][], total: number}} orders */
function list({ items, total }) {
  return html`<h1>Your orders</h1>
    ${items.length ? html`<ul class="rows">${items.map((order) => html`<li>
      <a href="#/orders/${order.id}">${order.number}</a> <span>${day(order.created_at)}</span>
      <span class="status">${STATUS[order.status]}</span> <b>${money(order.total_price, order.currency)}</b></li>`)}</ul>`
      : html`<p>You have ordered nothing yet.</p>`}
    ${total > items.length ? html`<p class="muted">The latest ${items.length} of ${total}.</p>` : nothing}`;
}

/** @param {Schemas["Order"]} order */
function one(order) {
  const open = ["placed", "paid"].includes(order.status);
  return html`<h1>Order ${order.number}</h1>
    <p><span class="status">${STATUS[order.status]}</span> since ${day(order.created_at)}</p>
    ${order.status === "placed" && order.expires_at ? html`<p class="note">The books are kept for you until ${day(order.expires_at)}. This demo has no payment: staff mark orders as paid in the admin.</p>` : nothing}
    <ul class="rows">${order.items.map((item) => html`<li>
      ${item.book_id ? html`<a href="#/book/${item.book_id}">${item.book.title}</a>` : item.book.title}
      <span class="muted">${item.book.author}</span>
      <span>${item.quantity} × ${money(item.unit_price, order.currency)}</span> <b>${money(item.line_total, order.currency)}</b></li>`)}</ul>
    <p class="total">${counted(order.total_items, "book")} <b>${money(order.total_price, order.currency)}</b></p>
    <p class="actions">
      <button ?disabled=${state.busy} @click=${() => reorder(order)}>Order the same again</button>
      ${open ? html`<button class="link" ?disabled=${state.busy} @click=${() => cancel(order)}>Cancel this order</button>` : nothing}
    </p>`;
}

/** @param {Schemas["Order"]} order */
function cancel(order) {
  if (!confirm(`Cancel order ${order.number}? The books go back to the shop.`)) return;
  void attempt(async () => {
    state.view = (await call(`/orders/${order.id}/cancel`, { method: "POST", repeatable: true })).body;
    changed();
  });
}

/** @param {Schemas["Order"]} order */
function reorder(order) {
  void attempt(async () => {
    /** @type {Schemas["MergedCart"]} */
    const { results } = (await call(`/orders/${order.id}/reorder`, { method: "POST" })).body;
    await cartIsStale();
    location.hash = "#/cart";
    const left = results.filter((result) => result.status === "skipped");
    tell(left.length ? `Some books could not be added: ${left.map(skippedInWords).join(" ")}` : "The books are in your cart.");
  });
}
