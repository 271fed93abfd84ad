/** Settings of questions. */

import { getJson } from "./api.js";
import { byId, element } from "./dom.js";

const NEW = "\n"; // not a valid name of a collection
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

/** Fills the list of collections, and selects `chosen`, or the gateway's default. */
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

/** The selected collection, or null if it does not exist yet. */
export function existingCollection() {
  const chosen = byId("collection").value;
  return existing.includes(chosen) ? chosen : null;
}

/** The selected collection, existing or new; null, with a message in the field, if the name of a new one is invalid. */
export function collection() {
  if (byId("collection").value !== NEW) return byId("collection").value;
  return byId("new-collection").reportValidity() ? byId("new-collection").value : null;
}

/** Calls `act` when another collection is selected. */
export function onCollection(act) {
  byId("collection").addEventListener("change", () => {
    showName();
    if (byId("collection").value === NEW) byId("new-collection").focus();
    act();
  });
}

/** Whether the settings are valid; if not, a field has a message. */
export const areValid = () => collection() !== null && byId("top-k").reportValidity();

/** The settings in the format of requests. */
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
