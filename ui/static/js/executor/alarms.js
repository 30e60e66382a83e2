// What is wrong now, and who has seen it; shown while anything is.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { repeat } from "../../vendor/lit-html-3.3.3/directives/repeat.js";
import { age } from "../clock.js";
import { command, pendingPhase } from "../commands.js";
import { span } from "../fmt.js";
import { temporalLink } from "./legs.js";

const SEVERITIES = { red: ["✖", "alarm", "red"], amber: ["▲", "warned", "amber"] };

export function alarmsPanel(s) {
  const rows = [...s.alarms.values()].sort(urgentFirst);
  if (!rows.length) return nothing;
  return html`
    <section class="panel" aria-labelledby="alarms-title">
      <h2 class="panel-title" id="alarms-title">Alarms (${rows.length})</h2>
      <ul class="panel-body alarms">${repeat(rows, (row) => row.id, (row) => alarm(s, row))}</ul>
    </section>
  `;
}

const urgentFirst = (a, b) =>
  (b.severity === "red") - (a.severity === "red") || (a.opened_at < b.opened_at ? -1 : 1);

function alarm(s, row) {
  const [mark, look, word] = SEVERITIES[row.severity] ?? SEVERITIES.red;
  return html`
    <li aria-label="Alarm ${row.id}">
      <span class="mark mark-${look}"><span aria-hidden="true">${mark}</span> ${word}</span>
      <b>${row.code}</b>
      <span class="alarm-detail">${row.arb_id
        ? html`<b>${row.title ?? row.arb_id}</b> ${temporalLink(s, workflowOf(s, row))}<br />`
        : nothing}
        ${row.detail}
        ${row.wants ? html`<span class="wants">➡ ${row.wants}</span>` : nothing}</span>
      <span class="alarm-age">for ${span(age(row.opened_at))}</span>
      ${row.acknowledged_by
        ? html`<span><span aria-hidden="true">✓</span> seen by ${row.acknowledged_by}</span>`
        : seenButton(s, row)}
    </li>
  `;
}

// An adopted trade has another workflow than its own.
const workflowOf = ({ positions }, { arb_id: id }) => positions.get(id)?.workflow_id ?? id;

// Needs the journal alone, not an executor.
function seenButton(s, row) {
  const whyNot = ["open", "polling"].includes(s.link.phase) ? "" : "No connection to the server";
  const key = `seen:${row.id}`;
  const pending = pendingPhase(key);
  const path = `/api/v1/alarms/${encodeURIComponent(row.id)}/acknowledge`;
  return html`
    <button type="button" class="button small" aria-label="Seen: alarm ${row.id}, ${row.code}"
      title=${whyNot || "It stays open until it is over, and rings no more"}
      aria-disabled=${whyNot || pending ? "true" : "false"}
      @click=${() => whyNot || pending || command(key, path, {})}>
      ${pending ? "Saying…" : "Seen"}
    </button>
  `;
}
