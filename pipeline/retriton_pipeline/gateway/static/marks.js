/** Highlights the words of a question in a text. */

import { element } from "./dom.js";

const SEGMENTS = new Intl.Segmenter("en", { granularity: "word" }); // also segments languages without spaces
const EVERYWHERE = new Set(
  ("a about all also an and any are as at be been between but by can could did do does for from had has have how i if in " +
    "into is it its many me much my no not of on or our she should so some than that the their them then there these " +
    "they this those to was we were what when where which while who whom whose why will with would you your he her his")
    .split(" "),
);
const ENDINGS = /(?:ies|es|s|ing|ed|e|y)$/;

/** A function from a text to nodes, in which the words of `question` are marked. */
export function marker(question) {
  const wanted = new Set([...words(question)].filter((word) => !EVERYWHERE.has(word)).map(stem));
  return (text) => {
    const nodes = [];
    let plain = "";
    for (const { segment, isWordLike } of SEGMENTS.segment(text)) {
      if (isWordLike && wanted.has(stem(folded(segment)))) {
        if (plain) nodes.push(plain);
        nodes.push(element("mark", {}, segment));
        plain = "";
      } else plain += segment;
    }
    if (plain) nodes.push(plain);
    return nodes;
  };
}

function* words(text) {
  for (const { segment, isWordLike } of SEGMENTS.segment(text)) if (isWordLike) yield folded(segment);
}

const folded = (word) => word.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Stems "batches", "batched" and "batch" to one word; short words are kept, because their stems are ambiguous. */
function stem(word) {
  const short = word.replace(ENDINGS, "");
  return short.length >= 3 ? short : word;
}
