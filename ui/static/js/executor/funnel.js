// Where opportunities end: from seen to executed, with the reason of every loss on the way.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { openDialog } from "../dialog.js";
import { digits, when } from "../fmt.js";
import { touch } from "../store.js";

const STAGES = {
  seen: "Seen", approved: "Pair approved", fresh: "Books fresh", edge: "Edge after fees",
  depth: "Depth", limits: "Limits", cooldown: "Cool-down", executed: "Executed",
};
const BAR = 100;
let window = "1h";

export function funnelPanel(s) {
  return html`
    <div class="panel-title">
      <h2 id="funnel-title">Why not more?</h2>
      <div class="segments" role="group" aria-label="Window">
        ${["1h", "24h"].map((name) => html`<button type="button"
          aria-pressed=${name === window ? "true" : "false"} @click=${() => show(name)}>${name}
        </button>`)}
      </div>
    </div>
    <div class="panel-body">
      ${s.funnel?.[window] ? stages(s.funnel[window]) : html`<p class="empty">No scan cycle has been
        counted yet.</p>`}
    </div>
  `;
}

function show(name) {
  window = name;
  touch("funnel");
}

function stages({ stages: found, reasons }) {
  const most = Math.max(1, ...found.map((stage) => stage.count));
  return html`
    <table class="plain funnel">
      <tbody>${found.map((stage) => html`<tr>
        <th scope="row">${STAGES[stage.stage] ?? stage.stage}</th>
        <td class="bar"><svg viewBox="0 0 ${BAR} 8" preserveAspectRatio="none" aria-hidden="true">
          <rect width=${Math.max(stage.count ? 1 : 0, share(stage.count, most))} height="8"></rect>
        </svg></td>
        <td class="number">${digits(stage.count, 0)}</td></tr>`)}</tbody>
    </table>
    ${reasons.length ? top(reasons) : nothing}
  `;
}

// Counts span five orders of magnitude: a root keeps the small ones visible.
const share = (count, most) => Math.cbrt(count / most) * BAR;

function top(reasons) {
  return html`
    <h3 class="minor">Top reasons</h3>
    <ul class="reasons">${reasons.map((entry) => html`<li>
      <button type="button" class="quiet" @click=${() => examples(entry)}>
        <code>${entry.reason}</code></button>
      <span class="number">${digits(entry.count, 0)}</span></li>`)}</ul>
  `;
}

function examples({ reason, count, examples: found }) {
  openDialog({
    title: `${reason}: ${digits(count, 0)} times`,
    wide: true,
    body: found?.length
      ? html`<table class="plain"><tbody>${found.map((one) => html`<tr><td>${when(one.at)}</td>
          <td>${one.title}</td><td>${one.detail}</td></tr>`)}</tbody></table>`
      : html`<p class="empty">No examples were kept.</p>`,
  });
}
