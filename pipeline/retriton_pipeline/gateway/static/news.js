/** Announcements for screen readers, and error messages. */

import { byId, counted } from "./dom.js";

const PAUSE_MS = 1500;
const SENTENCES = /^[\s\S]*[.!?:\n\u3002\uff01\uff1f](?=\s|$)/;

/** Announces a text to screen readers, after the current announcement. */
export function say(text) {
  byId("news").textContent = text;
}

/** Shows an error. */
export function showProblem(error) {
  const again = error.retryAfterS == null ? "" : ` The gateway asks to wait ${counted(error.retryAfterS, "second")}.`;
  const id = error.requestId ? ` (request ${error.requestId})` : "";
  byId("problem-text").textContent = `${error.message.replace(/[.\s]*$/, ".")}${again}${id}`;
  byId("problem").hidden = false;
}

/** Hides the error. */
export function hideProblem() {
  byId("problem").hidden = true;
  byId("problem-text").textContent = "";
}

/** Announces a streamed answer to screen readers, sentence by sentence. */
export class Reading {
  #unread = "";
  #nextAt = 0;

  add(piece) {
    this.#unread += piece;
    const sentences = SENTENCES.exec(this.#unread)?.[0];
    if (!sentences || performance.now() < this.#nextAt) return;
    say(sentences);
    this.#unread = this.#unread.slice(sentences.length);
    this.#nextAt = performance.now() + PAUSE_MS;
  }

  end(last) {
    say(`${this.#unread} ${last}`.trim());
    this.#unread = "";
  }
}
