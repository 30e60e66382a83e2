// What happened and who did it, newest first.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { repeat } from "../../vendor/lit-html-3.3.3/directives/repeat.js";
import { when } from "../fmt.js";

const SHOWN_MAX = 40;
const MARKS = { info: "•", warn: "▲", critical: "✖" };

// What a line wants of its reader; nothing where it only tells.
const wantsOf = ({ wants }) =>
  (wants ? html` <span class="wants">➡ ${wants}</span>` : nothing);

export function activityPanel({ events }) {
  const rows = events.slice(0, SHOWN_MAX);
  return html`
    <h2 class="panel-title" id="activity-title">Activity</h2>
    <div class="panel-body activity" tabindex="0" role="group" aria-labelledby="activity-title">
      ${rows.length
        ? html`<ol>${repeat(rows, (row) => row.id, (row) => html`<li
            class="severity-${row.severity}">
            <time>${when(row.at)}</time>
            <span aria-hidden="true">${MARKS[row.severity] ?? "•"}</span>
            <span>${row.text}${wantsOf(row)}</span></li>`)}</ol>`
        : html`<p class="empty">Quiet so far. Fills, unwinds, settings and commands appear here with
            who did them.</p>`}
    </div>
  `;
}
