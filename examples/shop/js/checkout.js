/** Orders what the customer sees, once, whatever is lost. */
import { html } from "../vendor/lit-html.js";
import { call, customer, Problem } from "./api.js";
import { etag, otherTabs, readCart } from "./cart.js";
import { field, form } from "./forms.js";
import { tell } from "./store.js";
import { kept } from "./kept.js";
import { money } from "./words.js";

/** @typedef {{customer: number, key: string, etag: string, body: unknown}} Begun an order that was sent, and whose answer is not there yet */

const names = new Intl.DisplayNames(undefined, { type: "region" });
/** Where this shop delivers. @type {[string, string][]} */
const COUNTRIES = "AT AU BE BG CA CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IN IT JP LT LU LV MT MX NL NO NZ PL PT RO SE SI SK UA US"
  .split(" ").map((code) => /** @type {[string, string]} */ ([code, names.of(code) ?? code])).sort((a, b) => a[1].localeCompare(b[1]));

export const begun = kept("shop.checkout", /** @type {Begun | null} */ (null));

/** @param {import("./store.js").Cart} cart */
export function orderForm(cart) {
  return form(`Order for ${money(cart.total_price, cart.currency)}`, order, html`<h2>Order</h2>
    ${field("Name", "name", { autocomplete: "name" })}
    ${field("Street and number", "line1", { autocomplete: "address-line1" })}
    <div class="pair">
      ${field("Postcode", "postcode", { autocomplete: "postal-code" })}
      ${field("City", "city", { autocomplete: "address-level2" })}
    </div>
    <label>Country <select name="country" autocomplete="country" required>
      <option value="">Choose…</option>
      ${COUNTRIES.map(([code, name]) => html`<option value=${code}>${name}</option>`)}</select></label>
    ${field("Note for the shop", "note", { required: false })}
    <p class="issue" ?hidden=${cart.checkout_ready}>Some books cannot be ordered like this: see above.</p>`, cart.checkout_ready);
}

/** @param {Record<string, string>} given */
function order({ note, name, ...address }) {
  const body = { ...(note ? { note } : {}), contact: { name, address } };
  const last = begun.get();
  const same = last?.etag === etag && JSON.stringify(last.body) === JSON.stringify(body);
  return send({ customer: customer(), key: same ? last.key : crypto.randomUUID(), etag, body });
}

/**
 * Sends an order. Its key is kept until there is an answer, also across a reload: sent again, it gets the order that it made.
 * `If-Match` refuses the order of a cart that is not the one on the screen.
 * @param {Begun} wanted
 */
export async function send(wanted) {
  begun.set(wanted);
  try {
    const headers = { "Idempotency-Key": wanted.key, "If-Match": wanted.etag };
    const made = (await call("/orders/checkout", { method: "POST", body: wanted.body, repeatable: true, headers })).body;
    done(made.id, `Thank you. Your order is ${made.number}.`);
  } catch (error) {
    // No answer, or one that does not say what became of an earlier try: the key is kept.
    if (!(error instanceof Problem) || error.status >= 500 || [0, 401, 429].includes(error.status)) throw error;
    begun.forget();
    await readCart();
    if (error.code !== "ORDER_CART_EMPTY" || !error.body.order_id) throw error;
    done(error.body.order_id, "This cart was ordered already: here is the order.");
  }
}

/** @param {number} id @param {string} text */
function done(id, text) {
  begun.forget();
  void readCart();
  otherTabs.postMessage("changed");
  location.hash = `#/orders/${id}`;
  tell(text);
}
