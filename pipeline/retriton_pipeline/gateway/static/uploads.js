/** Documents on their way into a collection. */

import { ApiError, getJson, request } from "./api.js";
import { byId, counted, element } from "./dom.js";
import { say, showProblem } from "./news.js";
import { collection } from "./settings.js";

const POLL_MS = 400;
const SHOWN_MAX = 20;
const OVER = ["succeeded", "failed", "cancelled"];

/** Lets files be chosen, and dropped anywhere; `ready` is waited for, and `done` called with the collection. */
export function takeFiles(ready, done) {
  const send = (files) => files.length && upload([...files], ready, done).catch(showProblem);
  byId("add").addEventListener("click", () => byId("files").click());
  byId("files").addEventListener("change", () => {
    send(byId("files").files);
    byId("files").value = ""; // so that the same file can be chosen again
  });
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const over = (is) => document.body.classList.toggle("dropping", is);
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? over(false));
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(false);
    if (hasFolder(event)) showProblem(new ApiError("A folder cannot be dropped: drop the files in it."));
    else send(event.dataTransfer.files);
  });
}

const hasFolder = (event) => [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);

async function upload(files, ready, done) {
  await ready();
  const name = collection();
  if (name === null) return;
  const form = new FormData();
  for (const file of files) form.append("files", file);
  const view = new JobView(files.map((file) => file.name).join(", "));
  try {
    let job = await getJson(`v1/collections/${name}/documents`, { method: "POST", body: form });
    view.cancel = () => request(`v1/jobs/${job.id}`, { method: "DELETE" }).catch(showProblem);
    while (!OVER.includes(job.state)) {
      view.show(job);
      await pause(POLL_MS);
      job = await polled(job);
    }
    view.end(job);
  } catch (error) {
    view.fail(error.message);
    throw error;
  }
  await done(name);
}

/** The job as it is now; a gateway that is busy for a moment does not end the watch. */
async function polled(job) {
  try {
    return await getJson(`v1/jobs/${job.id}`);
  } catch (error) {
    if (error.retryAfterS == null) throw error;
    await pause(error.retryAfterS * 1000);
    return job;
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class JobView {
  constructor(names) {
    this.names = names;
    this.bar = element("progress", { max: "1", "aria-label": `Progress of ${names}` });
    this.state = element("p", {}, "Sending…");
    this.button = element("button", { type: "button", class: "quiet", hidden: true, click: () => this.cancel() }, "Cancel");
    this.view = element("li", {}, element("span", { class: "name" }, names), this.bar, this.state, this.button);
    byId("jobs").prepend(this.view);
    for (const old of [...byId("jobs").children].slice(SHOWN_MAX)) old.remove();
    say(`Sending ${names}.`);
  }

  show(job) {
    const share = job.bytes_total ? job.bytes_done / job.bytes_total : 0;
    if (job.state === "running" && job.bytes_done) this.bar.value = share;
    const done = job.documents ? `${counted(job.documents, "document")}, ${counted(job.chunks, "chunk")}…` : "Reading…";
    const waiting = job.error ? `Waiting to try again: ${job.error.message}` : "Waiting for its turn…";
    this.state.textContent = job.state === "queued" ? waiting : done;
    this.button.hidden = false;
  }

  end({ state, result, error }) {
    if (state === "failed") return this.fail(error.message);
    if (state === "cancelled") return this.fail("Cancelled; what was stored before stays.");
    const counts = ["added", "replaced", "unchanged"].filter((what) => result[what]).map((what) => `${result[what]} ${what}`);
    if (result.skipped.length) counts.push(`${result.skipped_total ?? result.skipped.length} skipped`);
    const chunks = result.chunks ? `; ${counted(result.chunks, "chunk")}` : "";
    this.#conclude(`${counts.join(", ") || "Nothing in it"}${chunks}.`);
    const reasons = result.skipped.map(({ source, reason }) => element("li", {}, `${source}: ${reason}`));
    if (reasons.length) this.view.append(element("ul", { class: "skipped" }, ...reasons));
  }

  fail(reason) {
    this.view.classList.add("failed");
    this.#conclude(reason);
  }

  #conclude(text) {
    if (this.view.contains(document.activeElement)) byId("add").focus();
    this.bar.remove();
    this.button.remove();
    this.state.textContent = text;
    say(`${this.names}: ${text}`);
  }
}
