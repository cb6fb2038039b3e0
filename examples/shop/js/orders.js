/** The customer's orders, and one of them. */
import { html, nothing } from "../vendor/lit-html.js";
import { call } from "./api.js";
import { otherTabs, readCart } from "./cart.js";
import { pager } from "./catalogue.js";
import { attempt, state, tell } from "./store.js";
import { counted, day, money, skippedInWords } from "./words.js";

/** @typedef {import("./api.js").Schemas["Order"]} Order */

const SIZE = 24;
const STATUS = { placed: "Waiting for payment", paid: "Paid", shipped: "On its way", cancelled: "Cancelled" };

/** @type {import("./store.js").Page<{items: Order[], page: number, total: number}>} */
export const ordersPage = {
  load: async (_part, query) => {
    const page = query.get("page") ?? "1";
    const answer = await call(`/orders?${new URLSearchParams({ page, size: String(SIZE) })}`);
    return { items: answer.body, page: Number(page), total: Number(answer.headers.get("X-Total-Count")) };
  },
  title: () => "Your orders",
  view: ({ items, page, total }) => html`<h1>Your orders</h1>
    ${total ? nothing : html`<p>You have ordered nothing yet.</p>`}
    <ul class="rows">${items.map((order) => html`<li>
      <a href="#/orders/${order.id}">${order.number}</a> <span>${day(order.created_at)}</span>
      <span class="status">${STATUS[order.status]}</span> <b>${money(order.total_price, order.currency)}</b></li>`)}</ul>
    ${pager((number) => `#/orders?page=${number}`, page, Math.ceil(total / SIZE))}`,
};

/** @type {import("./store.js").Page<Order>} */
export const orderPage = {
  load: async (id) => (await call(`/orders/${id}`)).body,
  title: (order) => (order ? `Order ${order.number}` : "Order"),
  view: (order) => html`<h1>Order ${order.number}</h1>
    <p><span class="status">${STATUS[order.status]}</span> Ordered on ${day(order.created_at)}</p>
    ${order.status === "placed" && order.expires_at ? html`<p class="note">The books are kept for you until ${day(order.expires_at)}.
      This demo has no payment: staff mark orders as paid in the admin.</p>` : nothing}
    <ul class="rows">${order.items.map((item) => html`<li>
      ${item.book_id ? html`<a href="#/book/${item.book_id}">${item.book.title}</a>` : item.book.title}
      <span class="muted">${item.book.author}</span>
      <span>${item.quantity} × ${money(item.unit_price, order.currency)}</span> <b>${money(item.line_total, order.currency)}</b></li>`)}</ul>
    <p class="total">${counted(order.total_items, "book")} <b>${money(order.total_price, order.currency)}</b></p>
    <p class="actions">
      <button aria-disabled=${state.busy} @click=${() => reorder(order)}>Order the same again</button>
      ${["placed", "paid"].includes(order.status)
        ? html`<button class="link" aria-disabled=${state.busy} @click=${() => cancel(order)}>Cancel this order</button>` : nothing}
    </p>`,
};

/** @param {Order} order */
function cancel(order) {
  if (!confirm(`Cancel order ${order.number}? The books go back to the shop.`)) return;
  void attempt(async () => {
    state.loaded = (await call(`/orders/${order.id}/cancel`, { method: "POST", repeatable: true })).body;
  });
}

/** @param {Order} order */
function reorder(order) {
  void attempt(async () => {
    const answer = await call(`/orders/${order.id}/reorder`, { method: "POST" });
    const { results } = /** @type {import("./api.js").Schemas["MergedCart"]} */ (answer.body);
    await readCart();
    otherTabs.postMessage("changed");
    location.hash = "#/cart";
    const left = results.filter((result) => result.status === "skipped");
    tell(left.length ? `Some books could not be added: ${left.map(skippedInWords).join(" ")}` : "The books are in your cart.");
  });
}
