/** Ways into an account: sign in, register, a forgotten password, and the links in mails. */
import { html } from "../vendor/lit-html.js";
import { call } from "./api.js";
import { field, form } from "./account.js";
import { mergeGuest } from "./cart.js";
import { readMe, signIn, state, tell } from "./store.js";

/** Where the way goes on after signing in. @param {URLSearchParams} query */
async function arrived(query) {
  location.hash = query.get("next") === "cart" ? "#/cart" : "#/";
  await mergeGuest();
}

export const signInPage = {
  load: async () => true,
  title: () => "Sign in",
  /** @param {URLSearchParams} query */
  view: (query) => html`<h1>Sign in</h1>
    ${form("Sign in", async ({ email, password }) => {
      await signIn("login", email, password);
      await arrived(query);
    }, html`${field("Email", "email", { type: "email", autocomplete: "username", required: true })}
      ${field("Password", "password", { type: "password", autocomplete: "current-password", required: true })}`)}
    <p>New here? <a href="#/register?${query}">Make an account</a>. <a href="#/forgot">Password forgotten?</a></p>`,
};

export const registerPage = {
  load: async () => true,
  title: () => "Make an account",
  /** @param {URLSearchParams} query */
  view: (query) => html`<h1>Make an account</h1>
    ${form("Make an account", async ({ email, password }) => {
      await signIn("register", email, password);
      await arrived(query);
    }, html`${field("Email", "email", { type: "email", autocomplete: "username", required: true })}
      ${field("Password, at least 8 characters", "password", { type: "password", autocomplete: "new-password", required: true, minlength: 8 })}`)}
    <p>You have one? <a href="#/sign-in?${query}">Sign in</a>.</p>`,
};

export const forgotPage = {
  load: async () => true,
  title: () => "Forgotten password",
  view: () => html`<h1>Forgotten password</h1>
    <p>We send you a mail with a link to set a new one. The demo prints its mails in the terminal of <code>make run</code>.</p>
    ${form("Send the mail", async ({ email }) => {
      await call("/auth/password/forgot", { method: "POST", body: { email }, signedIn: false });
      tell("If there is an account with this email, a mail is on its way.");
    }, field("Email", "email", { type: "email", autocomplete: "username", required: true }))}`,
};

/** The link of the mail leads here: `#/reset-password?token=…`. */
export const resetPage = {
  load: async () => true,
  title: () => "New password",
  /** @param {URLSearchParams} query */
  view: (query) => html`<h1>New password</h1>
    ${form("Set the password", async ({ new_password }) => {
      await call("/auth/password/reset", { method: "POST", body: { token: query.get("token"), new_password }, signedIn: false });
      location.replace("#/sign-in");
      tell("The new password is set. Sign in with it.");
    }, field("New password", "new_password", { type: "password", autocomplete: "new-password", required: true, minlength: 8 }))}`,
};

/** The link of the mail leads here: `#/verify-email?token=…`. The same link again changes nothing. */
export const verifyPage = {
  /** @param {URLSearchParams} query */
  load: async (query) => {
    await call("/auth/verify", { method: "POST", body: { token: query.get("token") }, repeatable: true, signedIn: false });
    await readMe();
    return true;
  },
  title: () => "Verify your email",
  view: () => html`<h1>Verify your email</h1><p role="status">${state.view ? "Thank you: your email is verified." : "One moment…"}</p>`,
};
