/** Ways into an account: sign in, register, a forgotten password, and the links in mails. */
import { html } from "../vendor/lit-html.js";
import { call, tokens } from "./api.js";
import { mergeGuest } from "./cart.js";
import { emailField, form, newPasswordField, passwordField } from "./forms.js";
import { readMe, tell } from "./store.js";

/** @typedef {import("./store.js").Page<void>} Page */

/** Signs in, or makes an account and signs in with it. @param {"login" | "register"} way @param {URLSearchParams} query */
function enter(way, query) {
  return async (/** @type {Record<string, string>} */ { email, password }) => {
    tokens.set((await call(`/auth/${way}`, { method: "POST", body: { email, password }, signedIn: false })).body);
    await readMe();
    location.hash = `#/${query.get("next") ?? ""}`;
    await mergeGuest();
  };
}

/** @type {Page} */
export const signInPage = {
  title: () => "Sign in",
  view: (_, query) => html`<h1>Sign in</h1>
    ${form("Sign in", enter("login", query), [emailField(), passwordField()])}
    <p>New here? <a href="#/register?${query}">Make an account</a>. <a href="#/forgot">Password forgotten?</a></p>`,
};

/** @type {Page} */
export const registerPage = {
  title: () => "Make an account",
  view: (_, query) => html`<h1>Make an account</h1>
    ${form("Make an account", enter("register", query), [emailField(), newPasswordField("Password, at least 8 characters", "password")])}
    <p>You have one? <a href="#/sign-in?${query}">Sign in</a>.</p>`,
};

/** @type {Page} */
export const forgotPage = {
  title: () => "Forgotten password",
  view: () => html`<h1>Forgotten password</h1>
    <p>We send you a mail with a link to set a new one. The demo prints its mails in the terminal of <code>make run</code>.</p>
    ${form("Send the mail", async ({ email }) => {
      await call("/auth/password/forgot", { method: "POST", body: { email }, signedIn: false });
      tell("If there is an account with this email, a mail is on its way.");
    }, emailField())}`,
};

/** The link of the mail leads here: `#/reset-password?token=…`. @type {Page} */
export const resetPage = {
  title: () => "New password",
  view: (_, query) => html`<h1>New password</h1>
    ${!query.get("token") ? html`<p>This link is not complete. Open it from the mail again.</p>` : form("Set the password", async ({ new_password }) => {
      await call("/auth/password/reset", { method: "POST", body: { token: query.get("token"), new_password }, signedIn: false });
      location.replace("#/sign-in");
      tell("The new password is set. Sign in with it.");
    }, newPasswordField())}<p>Is the link too old? <a href="#/forgot">Ask for a new mail</a>.</p>`,
};

/** The link of the mail leads here: `#/verify-email?token=…`. The same link again changes nothing. @type {Page} */
export const verifyPage = {
  load: async (_, query) => {
    await call("/auth/verify", { method: "POST", body: { token: query.get("token") || "none" }, repeatable: true, signedIn: false });
    await readMe();
  },
  title: () => "Verify your email",
  view: () => html`<h1>Verify your email</h1><p role="status">Thank you: your email is verified.</p>`,
};
