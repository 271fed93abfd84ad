/** Renders a streamed answer: paragraphs, lists and code, with citations as links. */

import { element } from "./dom.js";

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\*(?=\S)([^*\n]*\S)\*|\[(\d{1,4}(?:\s*,\s*\d{1,4})*)\]/g;
const ITEM = /^\s*(?:[-*+]|\d{1,3}[.)])(?:\s+|$)/;

/** Renders a growing text into `container`; `cite` returns the link for a citation, or null. */
export class Prose {
  #container;
  #cite;
  #blocks = [];

  constructor(container, cite) {
    this.#container = container;
    this.#cite = cite;
  }

  /** Only replaces changed blocks, so that a focused link keeps the focus. */
  render(text) {
    const blocks = blocksOf(text);
    blocks.forEach((source, place) => {
      if (this.#blocks[place] === source) return;
      const made = this.#block(source);
      const before = this.#container.children[place];
      if (before) before.replaceWith(made);
      else this.#container.append(made);
    });
    this.#blocks = blocks;
  }

  #block(source) {
    if (source.startsWith("```")) {
      const code = source.replace(/^```.*\n?/, "").replace(/\n?```\s*$/, "");
      return element("pre", { tabindex: "0" }, element("code", {}, code));
    }
    const lines = source.split("\n");
    if (lines.every((line) => ITEM.test(line))) {
      const items = lines.map((line) => element("li", {}, ...this.#inline(line.replace(ITEM, ""))));
      return element(/^\s*\d/.test(source) ? "ol" : "ul", {}, ...items);
    }
    const heading = /^#{1,6}\s+(.*)$/.exec(source);
    if (heading) return element("p", {}, element("strong", {}, ...this.#inline(heading[1])));
    return element("p", {}, ...this.#inline(source));
  }

  #inline(text) {
    const nodes = [];
    let end = 0;
    for (const match of text.matchAll(INLINE)) {
      nodes.push(text.slice(end, match.index));
      const [whole, code, strong, stressed, numbers] = match;
      if (code) nodes.push(element("code", {}, code));
      else if (strong) nodes.push(element("strong", {}, ...this.#inline(strong)));
      else if (stressed) nodes.push(element("em", {}, ...this.#inline(stressed)));
      else nodes.push(...this.#citations(whole, numbers));
      end = match.index + whole.length;
    }
    nodes.push(text.slice(end));
    return nodes.filter((node) => node !== "");
  }

  #citations(whole, numbers) {
    const links = numbers.split(",").map((number) => this.#cite(Number(number)));
    if (links.every((link) => link === null)) return [whole];
    const shown = links.map((link, place) => link ?? `[${numbers.split(",")[place].trim()}]`);
    return shown.flatMap((one, place) => (place ? [" ", one] : [one]));
  }
}

/** Blocks end at empty lines, except in code; a list starts a new block. */
function blocksOf(text) {
  const blocks = [];
  let lines = [];
  let code = false;
  const close = () => {
    if (lines.length) blocks.push(lines.join("\n"));
    lines = [];
  };
  for (const line of text.split("\n")) {
    const fence = line.startsWith("```");
    if (fence && !code) close();
    if (!code && !fence) {
      if (!line.trim()) {
        close();
        continue;
      }
      if (lines.length && ITEM.test(line) !== ITEM.test(lines[0])) close();
      if (/^#{1,6}\s/.test(line) || (lines.length && /^#{1,6}\s/.test(lines[0]))) close();
    }
    lines.push(line);
    if (fence && code) close();
    if (fence) code = !code;
  }
  close();
  return blocks;
}
