// Sends for the next batch of an action on many rows. Without scripts its button does the same.
"use strict";
for (const form of document.querySelectorAll("form[data-continue]")) {
  form.submit();
}
