/** The account: email, sessions, password, export and deletion; and the forms of the shop. */
import { html, nothing } from "../vendor/lit-html.js";
import { call, keepTokens } from "./api.js";
import { cartIsStale, forgetOrder } from "./cart.js";
import { attempt, changed, signOut, state, tell } from "./store.js";
import { day } from "./words.js";

/** A field with its label and what is wrong with it. @param {string} label @param {string} name @param {any} [more] */
export function field(label, name, { type = "text", autocomplete = "off", required = false, fault = name, minlength = 0 } = {}) {
  const wrong = state.faults[fault];
  return html`<label>${label}
    <input name=${name} type=${type} autocomplete=${autocomplete} ?required=${required} minlength=${minlength}
      aria-invalid=${Boolean(wrong)} aria-describedby=${wrong ? `fault-${name}` : ""}>
    ${wrong ? html`<span class="fault" id="fault-${name}">${wrong}</span>` : nothing}</label>`;
}

/** A form whose button runs `send` with what was given. @param {string} button @param {(given: Record<string, any>) => Promise<unknown>} send @param {unknown} fields */
export function form(button, send, fields) {
  return html`<form class="card" @submit=${async (/** @type {any} */ event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    if (await attempt(() => send(given))) event.target.reset();
  }}>${fields}<button class="primary" ?disabled=${state.busy}>${button}</button></form>`;
}

export async function load() {
  return (await call("/auth/sessions")).body;
}

export function title() {
  return "Your account";
}

export function view() {
  /** @type {import("./api.js").Schemas["Sessions"] | undefined} */
  const sessions = state.view;
  if (!sessions || !state.me) return html`<h1>Your account</h1><p class="muted" role="status">Looking…</p>`;
  return html`<h1>Your account</h1>
    <p>You are signed in as <b>${state.me.email}</b>.
      <button class="link" @click=${() => attempt(leave)}>Sign out</button></p>
    ${state.me.email_verified && !state.me.new_email ? nothing : html`<p class="note">${state.me.new_email ?? "Your email"} is not verified yet.
      <button class="link" ?disabled=${state.busy} @click=${() => attempt(async () => {
        await call("/auth/verify/resend", { method: "POST" });
        tell("A mail is on its way. The demo prints it in the terminal.");
      })}>Send the mail again</button></p>`}
    <section><h2>Where you are signed in</h2>
      <ul class="rows">${sessions.items.map((session) => html`<li>
        <span title=${session.device}>${device(session.device)}</span> <span class="muted">${session.address ?? ""}</span>
        <span>${session.current ? html`<b>This one</b>` : day(session.last_used_at)}</span></li>`)}</ul>
      ${sessions.items.length > 1 ? html`<button ?disabled=${state.busy} @click=${() => attempt(async () => {
        await call("/auth/sessions?scope=others", { method: "DELETE" });
        state.view = await load();
        tell("All others are signed out.");
      })}>Sign out everywhere else</button>` : nothing}
    </section>
    <section><h2>Change the email</h2>
      ${form("Change the email", async ({ email, password }) => {
        state.me = (await call("/auth/me", { method: "PATCH", body: { email, password } })).body;
        tell("A mail with a link is on its way to the new address.");
      }, html`${field("New email", "email", { type: "email", autocomplete: "email", required: true })}
        ${field("Password", "password", { type: "password", autocomplete: "current-password", required: true })}`)}
    </section>
    <section><h2>Change the password</h2>
      ${form("Change the password", async ({ old_password, new_password }) => {
        await call("/auth/password", { method: "POST", body: { old_password, new_password } });
        tell("The new password holds. Other devices are signed out.");
      }, html`${field("Password now", "old_password", { type: "password", autocomplete: "current-password", required: true })}
        ${field("New password", "new_password", { type: "password", autocomplete: "new-password", required: true, minlength: 8 })}`)}
    </section>
    <section><h2>What the shop knows about you</h2>
      <button ?disabled=${state.busy} @click=${() => attempt(exported)}>Save it as a file</button>
    </section>
    <section><h2>Delete the account</h2>
      <p>Your cart goes with it. Orders stay without your name, as the law asks.</p>
      ${form("Delete for good", async ({ password }) => {
        await call("/auth/me", { method: "DELETE", body: { password } });
        keepTokens(null);
        state.me = null;
        forgetOrder();
        await cartIsStale().catch(() => {});
        location.hash = "#/";
        tell("Your account is gone.");
      }, field("Password", "password", { type: "password", autocomplete: "current-password", required: true }))}
    </section>`;
}

/** A browser's User-Agent in two words. @param {string} agent */
function device(agent) {
  const browser = ["Firefox", "Edg", "Chrome", "Safari"].find((name) => agent.includes(name)) ?? agent.split("/")[0];
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((name) => agent.includes(name));
  return `${browser || "Unknown device"}${system ? ` on ${system}` : ""}`.replace("Edg ", "Edge ");
}

async function leave() {
  forgetOrder(); // it has an address, which the next person at this browser must not find
  await signOut();
  location.hash = "#/";
  state.cart = null;
  changed();
}

async function exported() {
  const pages = [];
  do pages.push((await call(`/auth/me/export?page=${pages.length + 1}`)).body);
  while (pages.at(-1).more);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(pages, null, 2)], { type: "application/json" }));
  link.download = "my-data.json";
  link.click();
  URL.revokeObjectURL(link.href);
}
