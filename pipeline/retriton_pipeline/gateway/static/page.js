/** The page: a conversation with documents. */

import { events, getJson, postJson } from "./api.js";
import { loadDocuments, loadMore } from "./documents.js";
import { byId, counted } from "./dom.js";
import { currentKey, forgetKey } from "./key.js";
import { hideProblem, showProblem } from "./news.js";
import { areValid, asked, existingCollection, loadCollections, loadModels, onCollection } from "./settings.js";
import { Turn } from "./turn.js";
import { takeFiles } from "./uploads.js";

const MESSAGES_MAX = 40; // of the conversation; only the last ones fit into a prompt
const WAITING = "Waiting for the answer…";

const conversation = {
  turns: [],
  underWay: null,

  async ask(question) {
    if (!question || this.underWay || !areValid()) return;
    hideProblem();
    const history = this.turns.flatMap((turn) => turn.messages()).slice(-MESSAGES_MAX);
    const turn = this.begin(question);
    try {
      const { llm } = await loaded();
      await (llm ? answered : retrieved)(turn, history, this.underWay.signal, llm);
    } catch (error) {
      this.fail(turn, error);
    } finally {
      this.end();
    }
  },

  begin(question) {
    const turn = new Turn(question);
    this.turns.at(-1)?.fold(true);
    this.turns.push(turn);
    this.underWay = new AbortController();
    byId("intro").hidden = true;
    byId("question").value = "";
    byId("conversation").append(turn.view);
    turn.view.scrollIntoView({ block: "start" });
    this.show();
    return turn;
  },

  fail(turn, error) {
    const stopped = error.name === "AbortError";
    if (turn.found) turn.end(stopped ? "Stopped." : "The answer is not complete.");
    else this.takeBack(turn);
    if (!stopped) showProblem(error);
  },

  /** A question that found nothing can be asked again. */
  takeBack(turn) {
    turn.view.remove();
    this.turns = this.turns.filter((other) => other !== turn);
    this.turns.at(-1)?.fold(false);
    byId("question").value ||= turn.question;
  },

  end() {
    this.underWay = null;
    this.show();
  },

  stop() {
    this.underWay?.abort();
  },

  beginAnew() {
    this.stop();
    this.turns = [];
    byId("conversation").replaceChildren();
    byId("question").focus();
    hideProblem();
    this.show();
  },

  show() {
    byId("stop").hidden = !this.underWay;
    byId("submit").hidden = !!this.underWay;
    if ([byId("stop"), byId("submit")].includes(document.activeElement)) byId("question").focus(); // keeps the focus
    byId("begin-anew").hidden = !this.turns.length;
    byId("intro").hidden = !!this.turns.length;
  },
};

async function answered(turn, history, signal, llm) {
  const messages = [...history, { role: "user", content: turn.question }];
  const retrieval = { ...asked(), include_prompt: true };
  const body = { model: llm, stream: true, messages, retrieval };
  for await (const event of events(await postJson("v1/chat/completions", body, signal))) {
    if (event.sources) {
      turn.showFound({ passages: event.sources, prompt: event.prompt, latencyMs: event.latency_ms, note: WAITING });
    }
    const piece = event.choices[0]?.delta.content;
    if (piece) turn.addText(piece);
    if (event.citations) turn.finish({ citations: event.citations, latencyMs: event.latency_ms });
  }
}

async function retrieved(turn, history, signal) {
  const body = { query: turn.question, history, include_prompt: true, ...asked() };
  const found = await (await postJson("v1/retrieve", body, signal)).json();
  const dropped = found.tokens_dropped;
  const note = dropped ? `The question is too long: its first ${counted(dropped, "token")} were left out.` : "";
  turn.showFound({ passages: found.passages, prompt: found.prompt, latencyMs: found.latency_ms, note });
}

function listen() {
  const ask = () => conversation.ask(byId("question").value.trim());
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  byId("question").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    ask();
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) conversation.stop();
  });
  byId("stop").addEventListener("click", () => conversation.stop());
  byId("begin-anew").addEventListener("click", () => conversation.beginAnew());
  byId("problem-close").addEventListener("click", () => {
    hideProblem();
    byId("question").focus();
  });
  byId("forget-key").addEventListener("click", () => {
    forgetKey();
    location.reload(); // removes the data that was loaded with the key
  });
  byId("more-documents").addEventListener("click", () => loadMore().catch(showProblem));
  onCollection(() => loadDocuments().catch(showProblem));
  takeFiles(loaded, async (name) => {
    await loadCollections(existingCollection() ?? name); // another collection may be selected by now
    await loadDocuments();
  });
}

let loading = null;

/** The models of the gateway; loaded once, and again after a failure. */
function loaded() {
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load() {
  const llm = await loadModels();
  await loadCollections();
  await loadDocuments();
  return { llm };
}

listen();
byId("forget-key").hidden = currentKey() === null;
if (matchMedia("(hover: hover)").matches) byId("question").focus({ preventScroll: true }); // does not open an on-screen keyboard
await loaded().catch(showProblem);
