/** The API key: kept in the session storage of this tab, and sent only in the header of requests. */

import { ask } from "./dialogs.js";
import { byId } from "./dom.js";

const STORED_AS = "retriton.key";
let asking = null;

/** The key, or null. */
export const currentKey = () => sessionStorage.getItem(STORED_AS);

/**
 * Asks for a key, after one was refused.
 *
 * @param {?string} refused - the key, if there was one.
 * @returns {Promise<boolean>} whether there is another key now.
 */
export async function anotherKey(refused) {
  if (currentKey() !== refused) return true; // another request has asked for it meanwhile
  asking ??= askForKey(refused).finally(() => (asking = null));
  return asking;
}

/** Forgets the key. */
export function forgetKey() {
  sessionStorage.removeItem(STORED_AS);
  byId("forget-key").hidden = true;
}

async function askForKey(refused) {
  const input = byId("key");
  forgetKey();
  byId("key-problem").textContent = refused === null ? "" : "The gateway does not know this key.";
  input.setAttribute("aria-invalid", String(refused !== null));
  const given = await ask(byId("key-dialog"));
  const key = input.value.replace(/[^\x21-\x7e]/g, ""); // the characters that a header may contain
  input.value = "";
  if (!given) return false;
  sessionStorage.setItem(STORED_AS, key);
  byId("forget-key").hidden = false;
  return true;
}
