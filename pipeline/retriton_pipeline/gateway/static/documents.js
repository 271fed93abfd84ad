/** The documents of the chosen collection. */

import { getJson, request } from "./api.js";
import { confirmed } from "./dialogs.js";
import { byId, element } from "./dom.js";
import { say, showProblem } from "./news.js";
import { existingCollection } from "./settings.js";

const PAGE = 100;

/** Loads the first page of documents. */
export async function loadDocuments() {
  byId("document-list").replaceChildren();
  await loadMore();
}

/** Loads the next page. */
export async function loadMore() {
  const name = existingCollection();
  const list = byId("document-list");
  const found = name === null ? [] : await some(name, list.children.length);
  if (name !== existingCollection()) return; // another collection was selected meanwhile
  list.append(...found.slice(0, PAGE).map((document) => item(name, document)));
  byId("more-documents").hidden = found.length <= PAGE;
  byId("no-documents").hidden = list.children.length > 0;
}

async function some(name, offset) {
  const { data } = await getJson(`v1/collections/${name}/documents?limit=${PAGE + 1}&offset=${offset}`);
  return data;
}

function item(name, document) {
  const remove = () => removed(name, document, view).catch(showProblem);
  const title = document.title && !document.source.startsWith(document.title) ? document.title : "";
  const view = element(
    "li",
    {},
    element("span", { class: "name" }, document.source, title && element("small", {}, title)),
    element("button", { type: "button", class: "quiet", "aria-label": `Delete ${document.source}`, click: remove }, "Delete"),
  );
  return view;
}

async function removed(name, document, view) {
  if (!(await confirmed(`Delete ${document.source} from ${name}?`))) return;
  await request(`v1/collections/${name}/documents/${document.id}`, { method: "DELETE" });
  const next = view.nextElementSibling ?? view.previousElementSibling;
  view.remove();
  (next?.querySelector("button") ?? byId("add")).focus();
  byId("no-documents").hidden = byId("document-list").children.length > 0;
  say(`${document.source} is deleted.`);
}
