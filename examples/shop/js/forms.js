/** Forms and their fields. */
import { html, nothing } from "../vendor/lit-html.js";
import { attempt, state } from "./store.js";

/** What the fields of a form have when it is sent. @param {any} event */
export function given(event) {
  event.preventDefault();
  return /** @type {Record<string, any>} */ (Object.fromEntries(new FormData(event.target)));
}

/** A form whose button runs `send` with what was given: read at once, else a form sent during another call goes into the address. @param {string} button @param {(given: Record<string, any>) => Promise<unknown>} send @param {unknown} fields */
export function form(button, send, fields, possible = true) {
  const sent = (/** @type {any} */ event) => attempt(send.bind(null, given(event))).then((ok) => ok && event.target.reset());
  return html`<form class="card" @submit=${sent}>
    ${fields}<button class="primary" ?disabled=${!possible} aria-disabled=${state.busy}>${button}</button></form>`;
}

/** A field with its label and what is wrong with it. @param {string} label @param {string} name @param {any} [more] */
export function field(label, name, { type = "text", autocomplete = "off", required = true, minlength = 0 } = {}) {
  const wrong = state.faults[name];
  return html`<label>${label}
    <input name=${name} type=${type} autocomplete=${autocomplete} ?required=${required} minlength=${minlength}
      aria-invalid=${Boolean(wrong)} aria-describedby=${wrong ? `fault-${name}` : ""}>
    ${wrong ? html`<span class="fault" id="fault-${name}">${wrong}</span>` : nothing}</label>`;
}

export const emailField = (label = "Email", autocomplete = "username") => field(label, "email", { type: "email", autocomplete });
export const passwordField = (label = "Password", name = "password") =>
  field(label, name, { type: "password", autocomplete: "current-password" });
export const newPasswordField = (label = "New password", name = "new_password") =>
  field(label, name, { type: "password", autocomplete: "new-password", minlength: 8 });
