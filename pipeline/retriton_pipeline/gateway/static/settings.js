/** How questions are asked. */

import { getJson } from "./api.js";
import { byId, element } from "./dom.js";

const NEW = "\n"; // no collection can be called that
const NO_LLM = "no LLM: passages and prompt only";
let existing = [];

/** Shows what the gateway serves, and returns the name of its LLM, or null. */
export async function loadModels() {
  const { data } = await getJson("v1/models");
  const idOf = (kind) => data.find((model) => model.kind === kind)?.id ?? null;
  const [encoder, reranker, llm] = ["embedding", "reranking", "chat"].map(idOf);
  byId("rerank-field").hidden = !reranker;
  const parts = [`encoder ${encoder}`, reranker && `reranker ${reranker}`, llm ? `LLM ${llm}` : NO_LLM];
  byId("models").textContent = parts.filter(Boolean).join(" · ");
  return llm;
}

/** Offers the collections there are, and chooses `chosen`, or the gateway's own. */
export async function loadCollections(chosen = null) {
  const { data, default: usual } = await getJson("v1/collections");
  existing = data;
  const first = chosen ?? (existing.includes(usual) ? usual : (existing[0] ?? usual));
  const names = [...new Set([first, ...existing])].sort();
  const options = names.map((name) => element("option", { value: name }, name));
  byId("collection").replaceChildren(...options, element("option", { value: NEW }, "New collection…"));
  byId("collection").value = first;
  showName();
}

/** The chosen collection, or null if it has yet to be made. */
export function existingCollection() {
  const chosen = byId("collection").value;
  return existing.includes(chosen) ? chosen : null;
}

/** The chosen collection, made or not; null, and the field says why, if the name of a new one cannot be used. */
export function collection() {
  if (byId("collection").value !== NEW) return byId("collection").value;
  return byId("new-collection").reportValidity() ? byId("new-collection").value : null;
}

/** Calls `act` when another collection is chosen. */
export function onCollection(act) {
  byId("collection").addEventListener("change", () => {
    showName();
    if (byId("collection").value === NEW) byId("new-collection").focus();
    act();
  });
}

/** Whether questions can be asked so; if not, a field says why. */
export const areValid = () => collection() !== null && byId("top-k").reportValidity();

/** The settings as requests have them. */
export function asked() {
  return {
    collection: collection(),
    top_k: byId("top-k").valueAsNumber,
    mode: byId("mode").value,
    rerank: !byId("rerank-field").hidden && byId("rerank").checked,
    filter: byId("filter").value.trim(),
  };
}

function showName() {
  byId("new-collection-field").hidden = byId("collection").value !== NEW;
}
