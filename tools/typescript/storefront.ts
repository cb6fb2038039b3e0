// Compiled, never run: a storefront's code against the types that are generated from /schema. It compiles only as long
// as they are good ones. Each @ts-expect-error is a mistake that the types must catch: a looser type fails here as well.

import type { components, paths } from "../../build/api";

type Schemas = components["schemas"];
type Cart = Schemas["Cart"];
type CartItem = Schemas["CartItem"];
type Issue = Schemas["Issue"];
type MergedCart = Schemas["MergedCart"];

// --- Nothing that a client sends or reads is `any` or `unknown` -----------------------------------------------------

type IsAny<T> = 0 extends 1 & T ? true : false;
// The names of what is vague in T, at any depth; `never` when nothing is.
type Vague<T, Name = "the type itself"> =
  IsAny<T> extends true ? Name
  : unknown extends T ? Name
  : T extends readonly (infer Element)[] ? Vague<Element, Name>
  : T extends object ? { [Key in keyof T]-?: Vague<T[Key], Key> }[keyof T]
  : never;
const isNever = <T>(_: [T] extends [never] ? true : false): void => undefined;

// What a customer's export holds, each app says for itself.
isNever<Vague<Omit<Schemas, "Export">>>(true);
isNever<Vague<{ a: string; b: { c: any }[] }>>(false);
isNever<Vague<{ a: string; b: { c: unknown }[] }>>(false);

// Every answer of every call has a type: `content` is JSON of a schema, or there is none.
type Calls = { [Path in keyof paths]: paths[Path][keyof paths[Path]] }[keyof paths];
type Answers = Calls extends infer Call ? (Call extends { responses: infer All } ? All[keyof All] : never) : never;
type Bodies = Answers extends infer Answer ? (Answer extends { content?: infer Content } ? Content : never) : never;
isNever<Vague<Exclude<Bodies, { "application/json": Schemas["Export"] }>>>(true);

// --- The cart -------------------------------------------------------------------------------------------------------

const line: CartItem = {
  id: 7,
  book_id: 42,
  quantity: 2,
  book: { id: 42, title: "Emma", author: "Jane Austen", price: "12.50", cover_image_url: null },
  line_total: "25.00",
  added_at: "2026-11-23T09:30:00Z",
  price_at_add: "12.50",
  available_quantity: 31,
  issues: [{ code: "INSUFFICIENT_STOCK", available: 1 }],
};
const cart: Cart = {
  items: [line],
  total_items: 2,
  total_price: "25.00",
  currency: "USD",
  updated_at: null, // nobody ever added a book
  checkout_ready: false,
};

// @ts-expect-error money is a string: a float cannot hold it
const price: CartItem["line_total"] = 25.0;
// @ts-expect-error an ISBN may be unknown
const isbn: string = {} as Schemas["Book"]["isbn"];
// Any text is a title, an author, a token: not one of a few.
const anyText: Schemas["Book"]["title"] & Schemas["Book"]["author"] & Schemas["Tokens"]["access_token"] = "" as string;

// What is always there is not optional.
type Optional<T> = { [Key in keyof T]-?: {} extends Pick<T, Key> ? Key : never }[keyof T];
isNever<Optional<Cart> | Optional<CartItem> | Optional<MergedCart>>(true);
isNever<Optional<Schemas["Book"]> | Exclude<Optional<Schemas["BookPage"]>, "facets"> | Optional<Schemas["LineBook"]>>(true);
isNever<Optional<Schemas["Genre"]> | Optional<Schemas["Tokens"]>>(true);
isNever<Exclude<Optional<MergedCart["results"][number]>, "code" | "field" | "detail">>(true);

const twoCopies: Schemas["AddItemRequest"] = { book_id: 42, quantity: 2 };
const oneCopy: Schemas["AddItemRequest"] = { book_id: 42 };
// @ts-expect-error which book?
const noBook: Schemas["AddItemRequest"] = { quantity: 2 };

// --- Unions that are told apart by `code` -----------------------------------------------------------------------------

function explain(issue: Issue): string {
  switch (issue.code) {
    case "BOOK_UNAVAILABLE":
      return "We no longer sell it.";
    case "BOOK_OUT_OF_STOCK":
      return "Sold out.";
    case "INSUFFICIENT_STOCK":
      return `Only ${issue.available.toFixed()} left.`;
    case "PRICE_CHANGED":
      // @ts-expect-error this issue has no stock
      void issue.available;
      return `Was ${issue.from.trim()}, is ${issue.to.trim()}.`;
    default:
      return issue satisfies never; // a code that this storefront does not know would be a compile error
  }
}

// @ts-expect-error no issue has this code
const misspelt: Issue["code"] = "BOOK_SOLD_OUT";

type Refusals<Path extends keyof paths, Method extends keyof paths[Path]> = paths[Path][Method] extends {
  responses: infer All;
}
  ? { [Status in keyof All]: All[Status] extends { content: { "application/json": infer Body } }
      ? Body extends { code: string } ? Body : never
      : never }[keyof All]
  : never;

type Add = (body: Schemas["AddItemRequest"]) => Promise<CartItem | Refusals<"/cart/items", "post">>;

async function add(bookId: number, send: Add): Promise<number> {
  const answer = await send({ book_id: bookId });
  if (!("code" in answer)) return answer.id;
  switch (answer.code) {
    case "CART_ITEM_DUPLICATE":
      return answer.item_id;
    case "CART_BOOK_OUT_OF_STOCK":
    case "BOOK_NOT_FOUND":
      // @ts-expect-error only a duplicate names a line
      return answer.item_id;
    case "VALIDATION_ERROR":
      throw new Error(answer.errors.map((fault) => `${fault.field}: ${fault.detail}`).join("; "));
    // @ts-expect-error an add is never refused with this
    case "CART_ITEM_FORBIDDEN":
    default:
      throw new Error(answer.detail);
  }
}

type TokenRefusal = Extract<Refusals<"/cart", "get">, { code: `AUTH_${string}` }>["code"];

const whatThen: Record<TokenRefusal, "refresh" | "sign in"> = {
  AUTH_TOKEN_EXPIRED: "refresh",
  AUTH_TOKEN_INVALID: "sign in",
  AUTH_SESSION_OVER: "sign in",
  AUTH_USER_INACTIVE: "sign in",
};

// --- The merge ------------------------------------------------------------------------------------------------------

function skipped(merged: MergedCart): (number | null)[] {
  const outcomes: Record<MergedCart["results"][number]["status"], boolean> = {
    added: false,
    updated: false,
    unchanged: false,
    skipped: true,
  };
  const soldOut: NonNullable<MergedCart["results"][number]["code"]> = "CART_BOOK_OUT_OF_STOCK";
  void soldOut;
  return merged.results.filter((result) => outcomes[result.status]).map((result) => result.book_id);
}

void [price, isbn, anyText, twoCopies, oneCopy, noBook, misspelt, cart, explain, add, whatThen, skipped];
