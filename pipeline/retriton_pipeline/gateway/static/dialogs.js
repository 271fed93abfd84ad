/** Dialogs. */

import { byId } from "./dom.js";

/** Whether the user confirms the dialog, or fills it in. */
export function ask(dialog) {
  return new Promise((resolve) => {
    const form = dialog.querySelector("form");
    const listening = new AbortController();
    const on = (target, type, act) => target.addEventListener(type, act, { signal: listening.signal });
    const end = (answer) => {
      listening.abort();
      dialog.close();
      resolve(answer);
    };
    on(form, "submit", (event) => {
      event.preventDefault();
      end(true);
    });
    on(form.querySelector("[value=cancel]"), "click", () => end(false));
    on(dialog, "close", () => dialog.open || end(false)); // an open dialog: the event belongs to the previous one
    dialog.showModal();
  });
}

/** Whether the user confirms an action. */
export function confirmed(question) {
  byId("confirm-question").textContent = question;
  return ask(byId("confirm-dialog"));
}
