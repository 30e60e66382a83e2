// One arbitrage in milliseconds: two lanes on one axis, the skew, and the slowest hop by name.

import { html, nothing, svg } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { copyText } from "../copy.js";
import { span, whenMs } from "../fmt.js";
import { VENUES } from "./legs.js";

const STAMPS = [
  ["book_at", "venue's book"], ["received_at", "received"], ["decided_at", "decided"],
  ["sent_at", "sent"], ["acked_at", "answered"], ["matched_at", "matched"],
  ["settled_at", "settled"],
];
const WIDTH = 560;
const LEFT = 64;
const LANES = { polymarket: 30, kalshi: 66 };

/** The hops of one leg: [{ name, at, ms since the one before }]. */
function hops(leg) {
  const found = STAMPS.filter(([key]) => leg.stamps?.[key]).map(([key, label]) => ({
    key, label, iso: leg.stamps[key], at: Date.parse(leg.stamps[key]),
  }));
  return found.map((hop, index) => ({ ...hop, took: index ? hop.at - found[index - 1].at : 0 }));
}

export function timeline(row) {
  const lanes = VENUES.map(([venue, name]) => ({ venue, name, hops: hops(row.legs[venue]) }));
  const all = lanes.flatMap((lane) => lane.hops);
  if (!all.length) return html`<p class="empty">No times have been recorded for this trade.</p>`;
  const start = Math.min(...all.map((hop) => hop.at));
  // Settlement takes seconds where all else takes milliseconds: it stands at the edge.
  const quick = all.filter((hop) => hop.key !== "settled_at");
  const end = Math.max(start + 1, ...quick.map((hop) => hop.at));
  const slowest = quick.filter((hop) => hop.key !== "received_at")
    .reduce((a, b) => (b.took > a.took ? b : a), { took: -1 });
  return html`
    <figure class="timeline">
      <svg viewBox="0 0 ${WIDTH} 96" role="img" aria-label=${summary(lanes, slowest, end - start)}>
        ${axis(end - start)}
        ${lanes.map((lane) => laneOf(lane, start, end))}
      </svg>
      <figcaption>${summary(lanes, slowest, end - start)}</figcaption>
      ${twin(lanes, start)}
      ${story(row)}
      <button type="button" class="quiet" @click=${() => copyText(JSON.stringify(row, null, 2))}>
        Copy as JSON</button>
    </figure>
  `;
}

function summary(lanes, slowest, total) {
  const sent = lanes.map((lane) => lane.hops.find((hop) => hop.key === "sent_at")?.at);
  const skew = sent.every(Boolean) ? `, skew ${span(Math.abs(sent[0] - sent[1]))}` : "";
  const hop = slowest.took > 0 ? `, slowest hop: ${slowest.label} (${span(slowest.took)})` : "";
  return `${span(total)} from the first book to the last match${skew}${hop}`;
}

const x = (at, start, end) => LEFT + ((at - start) / (end - start)) * (WIDTH - LEFT - 56);

function axis(total) {
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return ticks.map((part) => svg`
    <line class="tick" x1=${LEFT + part * (WIDTH - LEFT - 56)} y1="14"
      x2=${LEFT + part * (WIDTH - LEFT - 56)} y2="80"></line>
    <text class="axis" x=${LEFT + part * (WIDTH - LEFT - 56)} y="93" text-anchor="middle"
      >${span(total * part)}</text>
  `);
}

function laneOf({ venue, name, hops: found }, start, end) {
  const y = LANES[venue];
  const quick = found.filter((hop) => hop.key !== "settled_at");
  const settled = found.find((hop) => hop.key === "settled_at");
  const line = quick.length > 1 ? svg`<line class="lane lane-${venue}" x1=${x(quick[0].at, start,
    end)} y1=${y} x2=${x(quick.at(-1).at, start, end)} y2=${y}></line>` : nothing;
  return svg`
    <text class="lane-name" x="0" y=${y + 4}>${name}</text>
    ${line}
    ${quick.map((hop) => svg`<circle class="stamp stamp-${venue}" cx=${x(hop.at, start, end)}
      cy=${y} r="4.5"><title>${hop.label} ${whenMs(hop.iso)}</title></circle>`)}
    ${settled ? svg`<text class="axis" x=${WIDTH} y=${y + 4} text-anchor="end"
      >● ${span(settled.at - start)}</text>` : nothing}
  `;
}

function twin(lanes, start) {
  return html`
    <details>
      <summary>As a table</summary>
      <table class="plain numbers">
        <thead><tr><th scope="col">Step</th>
          ${lanes.map(({ name }) => html`<th scope="col">${name}</th><th scope="col">after</th>`)}
        </tr></thead>
        <tbody>
          ${STAMPS.map(([key, label]) => html`<tr><th scope="row">${label}</th>
            ${lanes.map(({ hops: found }) => {
              const hop = found.find((one) => one.key === key);
              return html`<td>${hop ? whenMs(hop.iso) : "–"}</td>
                <td>${hop ? `+${span(hop.at - start)}` : "–"}</td>`;
            })}</tr>`)}
        </tbody>
      </table>
    </details>
  `;
}

function story({ story: told }) {
  if (!told?.length) return nothing;
  return html`
    <ol class="story">
      ${told.map((line) => html`<li><time>${whenMs(line.at)}</time> <b>${line.phase}</b>
        ${line.said}</li>`)}
    </ol>
  `;
}
