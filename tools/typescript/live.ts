// Plays the example client, and what orval, zod and hey-api generate, against a running shop: node live.js BASE_URL
// It throws, and so ends with a status other than 0, at the first answer that is not as it should be.

import { Api, InMemory, Refused, Storefront, type Tokens } from "../../examples/storefront";
import * as hey from "./generated/hey/sdk.gen";
import { client } from "./generated/hey/client.gen";
import * as orval from "./generated/orval";
import * as zod from "./generated/zod";

declare const process: { argv: string[] };
const base = process.argv[2]!;
const PASSWORD = "correct horse battery";
const fresh = () => `${crypto.randomUUID()}@example.com`;

function equal(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
  }
}

/** Notes the calls, and loses the answers that `loses` names: the request arrives, the answer does not. */
function network(loses: (call: string, times: number) => boolean = () => false): [typeof fetch, string[]] {
  const calls: string[] = [];
  const send: typeof fetch = async (url, init) => {
    const response = await fetch(url, init);
    const call = `${init?.method} ${new URL(String(url)).pathname}`;
    calls.push(`${call} ${response.status}`);
    if (loses(call, calls.filter((each) => each.startsWith(call)).length)) throw new TypeError("the answer was lost");
    return response;
  };
  return [send, calls];
}

async function example(): Promise<void> {
  const [send, calls] = network((call, times) => times === 1 && /POST \/(cart\/items|auth\/refresh|orders)/.test(call));
  const keep = new InMemory();
  const shop = new Storefront(new Api(base, keep, send));

  const [first, second] = await shop.search("", { in_stock: true, sort: "price", size: 2 });
  const guest = [{ book_id: first!.id, quantity: 1, price_seen: first!.price }];
  const preview = await shop.preview(guest);
  equal([preview.items.length, preview.total_items], [1, 1]);
  const results = await shop.signIn("register", fresh(), PASSWORD, guest);
  equal(results.map((result) => result.status), ["added"]);

  // The lost add is sent again, refused with its line, and the line gets the quantity: nothing is there twice.
  equal((await shop.add(second!.id, 1)).total_items, 2);
  // Polling costs a 304.
  const seen = shop.seen;
  await shop.cart();
  equal([shop.seen === seen, calls.at(-1)], [true, "GET /cart 304"]);

  // An ended token: two calls at once share one refresh, whose lost answer is asked for again within the grace.
  const ended = { ...keep.load()!, access_token: "ended" };
  keep.save(ended);
  shop.seen = null;
  const [one, other] = await Promise.all([shop.cart(), shop.api.call<{ email: string }>("GET", "/auth/me")]);
  equal([one.total_items, other.body.email.endsWith("@example.com")], [2, true]);
  equal(calls.filter((call) => call.startsWith("POST /auth/refresh")), Array(2).fill("POST /auth/refresh 200"));
  // Another tab that still has the old pair gets the same successor.
  const tab = new InMemory();
  tab.save(ended);
  await new Api(base, tab).call("GET", "/cart");
  equal((tab.load() as Tokens).refresh_token, keep.load()!.refresh_token);

  // A checkout whose answer is lost is sent again with its key: one order.
  await shop.cart();
  const order = await shop.checkout(crypto.randomUUID());
  equal([order.total_items, (await shop.api.call<unknown[]>("GET", "/orders")).body.length], [2, 1]);

  // A session that is over is not refreshed.
  await shop.api.call("DELETE", "/auth/sessions?scope=all");
  const before = calls.length;
  const refusal = await shop.cart().catch((error: unknown) => error);
  equal([refusal instanceof Refused && refusal.code, calls.length - before, keep.load()], ["AUTH_SESSION_OVER", 1, null]);
}

async function generated(): Promise<void> {
  const found = await orval.listBooks({ in_stock: true, size: 1, sort: "price" });
  if (found.status !== 200) throw new Error(`GET /books: ${found.status}`);
  const book = zod.listBooksResponse.parse(found.data).items[0]!;
  const signedUp = await orval.register({ email: fresh(), password: PASSWORD });
  if (signedUp.status !== 201) throw new Error(`POST /auth/register: ${signedUp.status}`);
  const headers = { Authorization: `Bearer ${signedUp.data.access_token}`, "Content-Type": "application/json" };
  const added = await orval.addCartItem({ book_id: book.id }, undefined, { headers });
  const cart = await orval.readCart({ headers });
  if (cart.status !== 200) throw new Error(`GET /cart: ${cart.status}`);
  equal([added.status, zod.readCartResponse.parse(cart.data).total_items], [201, 1]);
  const again = await orval.addCartItem({ book_id: book.id }, undefined, { headers });
  equal(again.status === 409 && again.data.code, "CART_ITEM_DUPLICATE");

  client.setConfig({ baseUrl: base, headers: { Authorization: headers.Authorization } });
  const line = await hey.addCartItem({ body: { book_id: book.id } });
  equal(line.error?.code, "CART_ITEM_DUPLICATE");
  const read = await hey.readCart();
  equal([read.response.status, read.data?.total_items], [200, 1]);
  const unchanged = await hey.readCart({ headers: { "If-None-Match": read.response.headers.get("ETag")! } });
  equal(unchanged.response.status, 304);
  const me = await hey.getMe();
  equal(me.data?.email_verified, false);
}

// What orval writes asks for paths of the host that serves the page.
const absolute = globalThis.fetch;
globalThis.fetch = (url, init) => absolute(typeof url === "string" && url.startsWith("/") ? base + url : url, init);

example()
  .then(generated)
  .then(() => console.log("The example and the generated clients work against a running shop."));
