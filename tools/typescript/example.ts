// Plays the client of examples/storefront.ts: lost answers, an ended token, a session that is over.

import { Api, InMemory, Refused, Storefront, type Tokens } from "../../examples/storefront";
import { base, equal, fresh, PASSWORD } from "./playing";

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

const LOST = /POST \/(cart\/items|auth\/refresh|orders)|(PUT|DELETE) \/cart\/items/;

async function example(): Promise<void> {
  const [send, calls] = network((call, times) => times === 1 && LOST.test(call));
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

  // A change that was made, and whose answer was lost, is sent again and refused (412, 404): the cart has what was wanted.
  const line = seen!.body.items[0]!.id;
  equal((await shop.change(line, 2)).total_items, 3);
  equal((await shop.change(line, 0)).total_items, 1);
  // One that another device made impossible is the customer's to decide.
  shop.seen = seen;
  const conflict = await shop.change(seen!.body.items[1]!.id, 5).catch((error: unknown) => error);
  equal([conflict instanceof Refused && conflict.code, shop.seen!.body.total_items], ["CART_CHANGED", 1]);

  // An ended token: two calls at once share one refresh, whose lost answer is asked for again within the grace.
  const ended = { ...keep.load()!, access_token: "ended" };
  keep.save(ended);
  shop.seen = null;
  const [one, other] = await Promise.all([shop.cart(), shop.api.call<{ email: string }>("GET", "/auth/me")]);
  equal([one.total_items, other.body.email.endsWith("@example.com")], [1, true]);
  equal(calls.filter((call) => call.startsWith("POST /auth/refresh")), Array(2).fill("POST /auth/refresh 200"));
  // Another tab that still has the old pair gets the same successor.
  const tab = new InMemory();
  tab.save(ended);
  await new Api(base, tab).call("GET", "/cart");
  equal((tab.load() as Tokens).refresh_token, keep.load()!.refresh_token);

  // A checkout whose answer is lost is sent again with its key: one order.
  await shop.cart();
  const order = await shop.checkout(crypto.randomUUID());
  equal([order.total_items, (await shop.api.call<unknown[]>("GET", "/orders")).body.length], [1, 1]);

  // A session that is over is not refreshed.
  await shop.api.call("DELETE", "/auth/sessions?scope=all");
  const before = calls.length;
  const refusal = await shop.cart().catch((error: unknown) => error);
  equal([refusal instanceof Refused && refusal.code, calls.length - before, keep.load()], ["AUTH_SESSION_OVER", 1, null]);
}

example().then(() => console.log("The example works against a running shop."));
