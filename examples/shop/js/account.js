/** The account: sessions, email, password, export and deletion. */
import { html, nothing } from "../vendor/lit-html.js";
import { call, tokens } from "./api.js";
import { readCart } from "./cart.js";
import { begun } from "./checkout.js";
import { emailField, form, newPasswordField, passwordField } from "./forms.js";
import { attempt, state, tell } from "./store.js";
import { day } from "./words.js";

/** @type {import("./store.js").Page<import("./api.js").Schemas["Sessions"]>} */
export const accountPage = {
  load: async () => (await call("/auth/sessions")).body,
  title: () => "Your account",
  view: (sessions) => html`<h1>Your account</h1>
    ${identity()}
    <h2>Where you are signed in</h2>
    <ul class="rows">${sessions.items.map((session) => html`<li>
      <span title=${session.device}>${device(session.device)}</span> <span class="muted">${session.address ?? ""}</span>
      <span>${session.current ? html`<b>This one</b>` : day(session.last_used_at)}</span></li>`)}</ul>
    <button ?hidden=${sessions.items.length < 2} aria-disabled=${state.busy} @click=${() => attempt(async () => {
      await call("/auth/sessions?scope=others", { method: "DELETE" });
      state.loaded = (await call("/auth/sessions")).body;
      tell("All others are signed out.");
    })}>Sign out everywhere else</button>
    <h2>Change the email</h2>
    ${form("Change the email", async ({ email, password }) => {
      state.me = (await call("/auth/me", { method: "PATCH", body: { email, password } })).body;
      tell("A mail with a link is on its way to the new address.");
    }, [emailField("New email", "email"), passwordField()])}
    <h2>Change the password</h2>
    ${form("Change the password", async ({ old_password, new_password }) => {
      await call("/auth/password", { method: "POST", body: { old_password, new_password } });
      tell("The new password holds. Other devices are signed out.");
    }, [whose(), passwordField("Password now", "old_password"), newPasswordField()])}
    <h2>What the shop knows about you</h2>
    <button aria-disabled=${state.busy} @click=${() => attempt(saveExport)}>Save it as a file</button>
    <h2>Delete the account</h2>
    <p>Your cart goes with it. Orders stay without your name, as the law asks.</p>
    ${form("Delete for good", async ({ password }) => {
      await call("/auth/me", { method: "DELETE", body: { password } });
      forget();
      tell("Your account is gone.");
    }, [whose(), passwordField()])}`,
};

/** For the browser's password manager: whose password a form takes. */
const whose = () => html`<input autocomplete="username" .value=${state.me?.email ?? ""} hidden>`;

function identity() {
  if (!state.me) return nothing;
  const { email, email_verified, new_email } = state.me;
  return html`<p>You are signed in as <b>${email}</b>. <button class="link" @click=${() => attempt(signOut)}>Sign out</button></p>
    <p class="note" ?hidden=${email_verified && !new_email}>${new_email ?? "Your email"} is not verified yet.
      <button class="link" aria-disabled=${state.busy} @click=${() => attempt(async () => {
        await call("/auth/verify/resend", { method: "POST" });
        tell("A mail is on its way. The demo prints it in the terminal.");
      })}>Send the mail again</button></p>`;
}

/** A browser's User-Agent in two words. @param {string} agent */
function device(agent) {
  const browser = ["Firefox", "Edg", "Chrome", "Safari"].find((name) => agent.includes(name)) ?? agent.split("/")[0];
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((name) => agent.includes(name));
  return `${browser || "Unknown device"}${system ? ` on ${system}` : ""}`.replace("Edg ", "Edge ");
}

async function saveExport() {
  const pages = [];
  do pages.push((await call(`/auth/me/export?page=${pages.length + 1}`)).body);
  while (pages.at(-1).more);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(pages, null, 2)], { type: "application/json" }));
  link.download = "my-data.json";
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Ends the session here even when the shop does not answer. */
function signOut() {
  const body = { refresh_token: tokens.get()?.refresh_token };
  return call("/auth/logout", { method: "POST", body, repeatable: true }).finally(forget);
}

/** Nothing of the customer stays in this browser: the next person at it must not find an address. */
function forget() {
  tokens.forget();
  begun.forget();
  state.me = null;
  location.hash = "#/";
  void readCart();
}
