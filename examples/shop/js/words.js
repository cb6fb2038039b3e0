/** What codes mean to a customer, and how money and days are written. */
import { Problem } from "./api.js";

/** Codes whose text in the API is for developers; of the others, the customer gets that text. @type {Record<string, string>} */
const ERRORS = {
  CART_BOOK_OUT_OF_STOCK: "This book is sold out.",
  CART_LIMIT_EXCEEDED: "That is more than a cart may hold.",
  CART_ITEM_DUPLICATE: "This book is in your cart already.",
  CART_ITEM_NOT_FOUND: "This book is no longer in your cart.",
  CART_CHANGED: "Your cart was changed somewhere else. Here is how it is now.",
  BOOK_NOT_FOUND: "This book is not sold any more.",
  AUTH_SESSION_OVER: "You were signed out. Sign in again to go on.",
  OTHER_CUSTOMER: "Another account was signed in meanwhile, in another tab. Nothing was changed.", // a code of this shop's own
  VALIDATION_ERROR: "This address is not complete, or not right.", // of a view: a form marks its fields instead
  ORDER_PRICE_CHANGED: "A price has changed. Nothing was ordered.",
};

/** @param {unknown} error */
export function inWords(error) {
  if (!(error instanceof Problem) || !error.status) return "The shop does not answer at the moment. Nothing was lost: try again.";
  if (error.status === 429) return "That was too often. Wait a minute, then try again.";
  if (error.status === 401 && !(error.code in ERRORS)) return ERRORS.AUTH_SESSION_OVER ?? "";
  if (error.body.field === "q") return error.message; // too many words
  if (error.status >= 500) return "Something went wrong in the shop. Try again in a moment.";
  return ERRORS[error.code] ?? error.message;
}

/** What is wrong with a line of the cart. @param {import("./api.js").Schemas["Issue"]} issue @param {string} currency */
export function issueInWords(issue, currency) {
  if (issue.code === "PRICE_CHANGED")
    return `The price was ${money(issue.from, currency)} when you chose it. It is ${money(issue.to, currency)} now.`;
  if (issue.code === "INSUFFICIENT_STOCK") return `Only ${issue.available} left.`;
  if (issue.code === "BOOK_OUT_OF_STOCK") return "Sold out.";
  return "Not sold any more.";
}

/** Why a merge left a book out. @param {{code?: string}} result */
export function skippedInWords(result) {
  return ERRORS[result.code ?? ""] ?? "It could not be added.";
}

/** @param {string} amount @param {string} currency */
export function money(amount, currency) {
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(Number(amount));
}

/** @param {string} time */
export function day(time) {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(time));
}

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
