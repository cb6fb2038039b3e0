// Two things about the site's forms. A second click sends nothing twice. What was typed into a form that met the end of
// the session, or a stale token, is put back when its page is opened again, in this tab.
"use strict";
(() => {
  const KEY = "bookstore.typed";
  const page = location.pathname;

  // A row of a list is known by its object: rows move when a colleague adds or deletes one.
  function nameOf(element) {
    const row = /^form-(\d+)-(.+)$/.exec(element.name);
    const key = row && element.form.elements[`form-${row[1]}-id`];
    return key ? `row ${key.value} ${row[2]}` : element.name;
  }

  const TYPES = new Set(["text", "textarea", "number", "email", "url", "checkbox", "select-one"]);
  const isTyped = (element) =>
    element.name && TYPES.has(element.type) && !["action", "_selected_action"].includes(element.name);

  const shownOf = (element) => element.form.elements[`initial-${element.name}`];
  const plain = (text) => (text ?? "").replaceAll("\r\n", "\n");
  const flag = (is) => (is ? "True" : "False");
  const isBox = (element) => element.type === "checkbox";
  const valueOf = (element) => (isBox(element) ? flag(element.checked) : plain(element.value));
  const valueBefore = (element) => (isBox(element) ? flag(element.defaultChecked) : plain(element.defaultValue));

  // Each field that differs from what the page showed, with both values.
  function typedInto(form) {
    const typed = {};
    for (const element of [...form.elements].filter(isTyped)) {
      const before = shownOf(element) ? plain(shownOf(element).value) : valueBefore(element);
      if (valueOf(element) !== before) typed[nameOf(element)] = [before, valueOf(element)];
    }
    return typed;
  }

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  }

  function write(kept) {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // A full or forbidden store: nothing is put back.
    }
  }

  // With what the page showed then: the server tells when a colleague has changed the same field since.
  function putBack(typed) {
    let number = 0;
    const forms = [...document.querySelectorAll("#content-main form")];
    for (const element of forms.flatMap((form) => [...form.elements]).filter(isTyped)) {
      const pair = typed[nameOf(element)];
      if (!pair) continue;
      if (isBox(element)) element.checked = pair[1] === "True";
      else element.value = pair[1];
      if (shownOf(element)) shownOf(element).value = pair[0];
      number += 1;
    }
    if (!number) return;
    const note = document.createElement("p");
    note.className = "searched-note";
    note.textContent = "What you had typed here before was not saved, and has been put back. Save it to keep it.";
    document.querySelector("#content-main").prepend(note);
  }

  const kept = read();
  if (document.body.matches(".login, .failed")) {
    if (kept) write({ ...kept, interrupted: true });
  } else if (kept) {
    sessionStorage.removeItem(KEY);
    if (kept.interrupted && kept.page === page) putBack(kept.typed);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 5000); // the browser's Stop leaves the page as it is
    if (form.closest("#content-main") && !document.body.matches(".login")) write({ page, typed: typedInto(form) });
  });
  // The back button shows the page as it was left.
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
})();
