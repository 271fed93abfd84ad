/** Passages as cards. */

import { element } from "./dom.js";
import { marker } from "./marks.js";

const LONG_CHARACTERS = 700;

/** A list of cards; `idOf` gives the id of a passage's card. */
export function passageList(passages, question, idOf) {
  const marked = marker(question);
  return element("ol", { class: "cards" }, ...passages.map((passage) => card(passage, marked, idOf(passage.number))));
}

/** Marks the cards that an answer cites. */
export function markCited(cards) {
  for (const cited of cards) {
    cited.classList.add("cited");
    cited.querySelector(".badge").hidden = false;
  }
}

function card(passage, marked, id) {
  const text = element("p", { class: "text", id: `${id}-text`, dir: "auto" }, ...marked(passage.text));
  return element(
    "li",
    { id, class: "card", tabindex: "-1", "aria-label": `Passage ${passage.number}, ${passage.source}` },
    element(
      "div",
      { class: "card-head" },
      element("span", { class: "number", "aria-hidden": "true" }, String(passage.number)),
      element("h4", {}, passage.source),
      passage.page == null ? null : element("span", {}, `page ${passage.page}`),
      element("span", { class: "badge", hidden: true }, "cited"),
      element("span", { class: "score" }, "score ", element("b", {}, passage.score.toFixed(4))),
    ),
    passage.context ? element("p", { class: "section", dir: "auto" }, ...marked(passage.context)) : null,
    text,
    passage.text.length > LONG_CHARACTERS ? folding(text) : null,
    element("div", { class: "card-foot" }, scores(passage.scores), metadata(passage.metadata)),
  );
}

function folding(text) {
  text.classList.add("folded");
  const toggle = () => {
    const folded = text.classList.toggle("folded");
    button.setAttribute("aria-expanded", String(!folded));
    button.textContent = folded ? "Show all" : "Show less";
  };
  const attributes = { type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": text.id };
  const button = element("button", { ...attributes, click: toggle }, "Show all");
  return button;
}

function scores(found) {
  const entries = Object.entries(found).map(([stage, score]) => entry(stage, score.toFixed(4)));
  return entries.length ? element("dl", { class: "scores", "aria-label": "Scores by stage" }, ...entries) : null;
}

function metadata(found) {
  const entries = Object.entries(found).map(([name, value]) =>
    entry(name, typeof value === "string" ? value : JSON.stringify(value)),
  );
  if (!entries.length) return null;
  return element("details", {}, element("summary", {}, "Metadata"), element("dl", {}, ...entries));
}

const entry = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));
