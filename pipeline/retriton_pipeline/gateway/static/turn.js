/** A question, and what came of it. */

import { counted, element } from "./dom.js";
import { Reading, say } from "./news.js";
import { markCited, passageList } from "./passages.js";
import { Prose } from "./prose.js";
import { stagesView } from "./stages.js";

let made = 0;

export class Turn {
  /** @param {string} question - as it was asked. */
  constructor(question) {
    this.question = question;
    this.answer = "";
    this.found = false;
    this.id = `turn-${++made}`;
    this.body = element("div", { class: "answer", dir: "auto" });
    this.note = element("p", { class: "note" }, "Searching…");
    this.view = element(
      "article",
      { class: "turn", "aria-labelledby": `${this.id}-question` },
      element("h2", { id: `${this.id}-question`, dir: "auto" }, question),
      this.body,
      this.note,
    );
    this.prose = new Prose(this.body, (number) => this.#link(number));
    this.reading = new Reading();
    say("Searching…");
  }

  /** Shows what was found; `note` is what else there is to say. */
  showFound({ passages, prompt, latencyMs, note }) {
    this.found = true;
    this.stages = stagesView(latencyMs);
    this.passages = element(
      "details",
      { class: "passages", open: true },
      element("summary", {}, element("h3", {}, counted(passages.length, "passage"))),
      passageList(passages, this.question, (number) => this.#idOf(number)),
    );
    this.view.append(this.stages, this.passages, promptView(prompt));
    this.note.textContent = note;
    say(`${counted(passages.length, "passage")} found. ${note}`);
  }

  /** Adds a piece of the answer. */
  addText(piece) {
    this.answer += piece;
    this.note.textContent = "";
    this.reading.add(piece);
    this.frame ??= requestAnimationFrame(() => this.#render());
  }

  /** The answer is complete. */
  finish({ citations, latencyMs }) {
    this.#render();
    markCited(citations.map((number) => this.#card(number)));
    const stages = stagesView(latencyMs);
    this.stages.replaceWith(stages);
    this.stages = stages;
    this.note.textContent = this.answer.trim() ? "" : "The answer is empty.";
    this.reading.end(`The answer is complete, and cites ${counted(citations.length, "passage")}.`);
  }

  /** The answer ends here, for the reason given. */
  end(reason) {
    this.#render();
    this.note.textContent = reason;
    this.reading.end(reason);
  }

  /** Folds the passages, to make room for the next question, or shows them. */
  fold(away) {
    this.passages.open = !away;
  }

  /** What was said, for the questions that follow. */
  messages() {
    const asked = { role: "user", content: this.question };
    return this.answer.trim() ? [asked, { role: "assistant", content: this.answer }] : [asked];
  }

  #render() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    this.prose.render(this.answer);
  }

  #idOf(number) {
    return `${this.id}-passage-${number}`;
  }

  #card(number) {
    return document.getElementById(this.#idOf(number));
  }

  #link(number) {
    if (!this.#card(number)) return null;
    const show = (event) => {
      event.preventDefault(); // the address stays as it is
      this.passages.open = true;
      this.#card(number).focus();
    };
    const label = `passage ${number}`;
    return element("a", { class: "cite", href: `#${this.#idOf(number)}`, "aria-label": label, click: show }, `[${number}]`);
  }
}

function promptView(prompt) {
  return element(
    "details",
    { class: "prompt" },
    element("summary", {}, element("h3", {}, "Prompt")),
    element("pre", { tabindex: "0", dir: "auto", role: "group", "aria-label": "Prompt" }, prompt),
  );
}
