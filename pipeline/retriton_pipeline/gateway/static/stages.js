/** The duration of each stage. */

import { element } from "./dom.js";

const SHOWN_MS_MIN = 0.05; // less is shown as 0.0

/** The stages as a bar and as text. */
export function stagesView(latencyMs) {
  const stages = stagesOf(latencyMs);
  const bar = element("div", { class: "bar", "aria-hidden": "true" });
  for (const [name, ms] of stages) {
    const part = element("span", { "data-stage": name });
    part.style.flexGrow = ms;
    bar.append(part);
  }
  const rows = stages.map(([name, ms]) => entry(name, ms, { "data-stage": name }));
  return element(
    "div",
    { class: "stages", role: "group", "aria-label": "Milliseconds" },
    bar,
    element("dl", {}, entry("total", latencyMs.total, {}), ...rows),
  );
}

/** The gateway counts the answer from its beginning; here its first piece and the rest follow each other. */
function stagesOf({ total, first_piece: first, answer, ...before }) {
  const stages = Object.entries(before);
  if (first !== undefined) stages.push(["first piece", first]);
  if (answer !== undefined) stages.push(["rest of answer", answer - (first ?? 0)]);
  return stages.filter(([, ms]) => ms >= SHOWN_MS_MIN);
}

function entry(name, ms, attributes) {
  const shown = ms < 100 ? ms.toFixed(1) : Math.round(ms).toLocaleString("en");
  return element("div", attributes, element("dt", {}, name), element("dd", {}, `${shown} ms`));
}
