// Plays the clients that orval, zod and hey-api generate.

import * as hey from "./generated/hey/sdk.gen";
import { client } from "./generated/hey/client.gen";
import * as orval from "./generated/orval";
import * as zod from "./generated/zod";
import { base, equal, fresh, PASSWORD } from "./playing";

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

generated().then(() => console.log("The generated clients work against a running shop."));
