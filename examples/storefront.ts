// A storefront's client of the bookstore API, to copy from. It needs fetch, and types that one command writes:
//
//     npx openapi-typescript http://127.0.0.1:8000/schema --default-non-nullable=false -o build/api.d.ts
//
// `Api` has tokens, errors and retries, `Storefront` a customer's cart and order. storefront.py is the same in Python.

import type { components, paths } from "../build/api";

type Schemas = components["schemas"];
export type Book = Schemas["Book"];
export type Cart = Schemas["Cart"];
export type Order = Schemas["Order"];
export type Tokens = Schemas["Tokens"];
/** What a guest wants, kept by the storefront; `price_seen` is the price that was shown. */
export type Wish = Schemas["MergeRequest"]["items"][number];
type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Filters = NonNullable<paths["/books"]["get"]["parameters"]["query"]>;

const ATTEMPTS = 3; // of a call that may be sent again
const TIMEOUT = 10_000; // milliseconds
const PAUSE = 200; // milliseconds before the second attempt, and more before the next

/** The API said no. `code` is for the program, the message for the customer. */
export class Refused extends Error {
  constructor(readonly status: number, readonly body: { detail: string; code: string; [more: string]: unknown }) {
    super(body.detail);
  }
  get code(): string {
    return this.body.code;
  }
}

export interface Answer<T> {
  status: number;
  body: T;
  etag: string | null;
}

/** Where the tokens are kept: memory, or what all tabs of a browser share. */
export interface Keep {
  load(): Tokens | null;
  save(tokens: Tokens | null): void;
}

export class InMemory implements Keep {
  #tokens: Tokens | null = null;
  load = () => this.#tokens;
  save = (tokens: Tokens | null) => void (this.#tokens = tokens);
}

export class Api {
  #refreshing: Promise<Tokens> | null = null;

  constructor(readonly base: string, readonly keep: Keep = new InMemory(), readonly send: typeof fetch = fetch) {}

  /** The answer (200 to 304), else Refused. An access token that has ended is exchanged, once, for a new one. */
  async call<T>(method: Method, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
    const tokens = this.keep.load();
    try {
      return await this.#insist<T>(method, path, body, headers, tokens);
    } catch (refusal) {
      const ended = refusal instanceof Refused && ["AUTH_TOKEN_EXPIRED", "AUTH_TOKEN_INVALID"].includes(refusal.code);
      if (tokens && refusal instanceof Refused && refusal.code === "AUTH_SESSION_OVER") this.#forget(tokens);
      if (!tokens || !ended) throw refusal;
      return this.#insist<T>(method, path, body, headers, await this.#refreshed(tokens));
    }
  }

  /** New tokens. Calls of this tab share one refresh; other tabs, and a lost answer, get the same refresh token (the grace). */
  async #refreshed(ended: Tokens): Promise<Tokens> {
    const kept = this.keep.load();
    if (kept && kept.access_token !== ended.access_token) return kept; // another call, or tab, was here first
    this.#refreshing ??= this.#insist<Tokens>("POST", "/auth/refresh", { refresh_token: ended.refresh_token }, {}, null)
      .then(
        ({ body }) => (this.keep.save(body), body),
        (refusal) => {
          if (refusal instanceof Refused && refusal.status === 401) this.#forget(ended); // sign in again
          throw refusal;
        },
      )
      .finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** Not the tokens of a session that another tab has begun meanwhile. */
  #forget(over: Tokens): void {
    if (this.keep.load()?.access_token === over.access_token) this.keep.save(null);
  }

  /** Sends again what is safe to repeat, when no answer came or the API was busy (429, 503): see `repeatable`. */
  async #insist<T>(
    method: Method, path: string, body: unknown, headers: Record<string, string>, tokens: Tokens | null,
  ): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt >= ATTEMPTS || !repeatable(method, path, headers);
      let pause = attempt * PAUSE;
      try {
        const response = await this.send(this.base + path, {
          method,
          headers: {
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
            ...(tokens ? { Authorization: `Bearer ${tokens.access_token}` } : {}),
            ...headers,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          cache: "no-store", // the ETag is in our hands: fetch would turn a 304 into the 200 that it keeps
          signal: AbortSignal.timeout(TIMEOUT),
        });
        const text = await response.text();
        const answer = text ? JSON.parse(text) : null;
        if (response.status < 400) return { status: response.status, body: answer, etag: response.headers.get("ETag") };
        const wait = Number(response.headers.get("Retry-After") ?? 0);
        if (isLast || ![429, 503].includes(response.status) || wait > 5) throw new Refused(response.status, answer);
        pause = Math.max(pause, wait * 1000);
      } catch (error) {
        if (isLast || error instanceof Refused) throw error;
      }
      await new Promise((done) => setTimeout(done, pause));
    }
  }
}

/** An add answers a repeated one with the line that is there; everything else says how things shall be. */
function repeatable(method: Method, path: string, headers: Record<string, string>): boolean {
  const posts = ["/auth/refresh", "/auth/logout", "/cart/items", "/cart/merge", "/cart/preview"];
  return method !== "POST" || "Idempotency-Key" in headers || posts.includes(path.split("?")[0]!);
}

export class Storefront {
  /** The cart as the customer sees it now. */
  seen: Answer<Cart> | null = null;

  constructor(readonly api: Api) {}

  async search(words: string, filters: Omit<Filters, "q"> = {}): Promise<Book[]> {
    const query = new URLSearchParams({ q: words });
    for (const [name, value] of Object.entries(filters)) for (const one of [value].flat()) query.append(name, String(one));
    return (await this.api.call<Schemas["BookPage"]>("GET", `/books?${query}`)).body.items;
  }

  /** A guest's cart with today's prices and issues, without a token. */
  async preview(items: Wish[]): Promise<Schemas["PreviewedCart"]> {
    return (await this.api.call<Schemas["PreviewedCart"]>("POST", "/cart/preview", { items })).body;
  }

  /** Registers or signs in, and takes over the guest's cart; the results say what became of each entry. */
  async signIn(way: "register" | "login", email: string, password: string, guest: Wish[] = []) {
    this.api.keep.save((await this.api.call<Tokens>("POST", `/auth/${way}`, { email, password })).body);
    if (!guest.length) return [];
    const merged = await this.api.call<Schemas["MergedCart"]>("POST", "/cart/merge", { items: guest });
    this.seen = merged;
    return merged.body.results;
  }

  /** The cart; costs only a 304 as long as it is the one that the customer sees. */
  async cart(): Promise<Cart> {
    const headers: Record<string, string> = this.seen?.etag ? { "If-None-Match": this.seen.etag } : {};
    const answer = await this.api.call<Cart>("GET", "/cart", undefined, headers);
    if (answer.status !== 304) this.seen = answer;
    return this.seen!.body;
  }

  /** Puts a book into the cart. Sent again after a lost answer it is refused with its line, which gets the quantity. */
  async add(book_id: number, quantity = 1): Promise<Cart> {
    try {
      this.seen = await this.api.call<Cart>("POST", "/cart/items?return=cart", { book_id, quantity });
      return this.seen.body;
    } catch (refusal) {
      if (!(refusal instanceof Refused) || refusal.code !== "CART_ITEM_DUPLICATE") throw refusal;
      // Without If-Match: the first try changed the cart that was seen.
      this.seen = await this.api.call<Cart>("PUT", `/cart/items/${refusal.body["item_id"]}?return=cart`, { quantity });
      return this.seen.body;
    }
  }

  /**
   * How many copies of a line; 0 removes it. 412 CART_CHANGED when the cart is no longer the one that was seen: `seen` is then
   * the one that it is. A change that was made, and is sent again after a lost answer, is refused, too: what the cart has tells.
   */
  async change(line: number, quantity: number): Promise<Cart> {
    const unchanged: Record<string, string> = this.seen?.etag ? { "If-Match": this.seen.etag } : {};
    const path = `/cart/items/${line}?return=cart`;
    try {
      this.seen = quantity
        ? await this.api.call<Cart>("PUT", path, { quantity }, unchanged)
        : await this.api.call<Cart>("DELETE", path, undefined, unchanged);
      return this.seen.body;
    } catch (refusal) {
      if (!(refusal instanceof Refused) || ![404, 412].includes(refusal.status)) throw refusal;
      const found = (await this.cart()).items.find((each) => each.id === line)?.quantity ?? 0;
      if (found !== quantity) throw refusal;
      return this.seen!.body;
    }
  }

  /** Orders what the customer sees. Keep `key` until the answer is there: sent again, it answers the same order. */
  async checkout(key: string): Promise<Order> {
    const headers = { "Idempotency-Key": key, ...(this.seen?.etag ? { "If-Match": this.seen.etag } : {}) };
    return (await this.api.call<Order>("POST", "/orders/checkout", {}, headers)).body;
  }
}
