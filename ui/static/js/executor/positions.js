// Open positions: legs, what is guaranteed, what closing now would mean.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { repeat } from "../../vendor/lit-html-3.3.3/directives/repeat.js";
import { pendingPhase, pendingText, whyNotSend } from "../commands.js";
import { cost, day, pct, size, trend, usd } from "../fmt.js";
import { touch } from "../store.js";
import { toast } from "../toast.js";
import { openClose } from "./close.js";
import { byWhichBook, missing } from "./figures.js";
import { legLine, phaseMark, staleMark, temporalLink, VENUES } from "./legs.js";
import { timeline } from "./timeline.js";

const expanded = new Set();
const NOT_CLOSABLE = ["SETTLING", "CLOSING"];
const ON_ITS_WAY = ["planned", "sent"];

export function positionsPanel(s) {
  const rows = [...s.positions.values()].sort((a, b) => (a.opened_at < b.opened_at ? 1 : -1));
  return html`
    <h2 class="panel-title" id="positions-title">Open Positions (${rows.length})</h2>
    <div class="panel-body positions">
      ${rows.length ? repeat(rows, (row) => row.id, (row) => position(s, row)) : emptyState(s)}
    </div>
  `;
}

// Why nothing opens, by the run state; where it is RUNNING something may.
const NOTHING_OPENS = {
  PAUSED: "Trading is paused, so nothing opens: Enable trading lets entries leave. ",
  HALTED: "Entries are halted, so nothing opens before a person resumes. ",
  OFF: "No executor runs, so nothing opens: start it with `lockstep run`. ",
};

function emptyState({ scanner, run_state: run }) {
  const paused = NOTHING_OPENS[run.state] ?? "";
  const alive = scanner
    ? `Watching ${scanner.pairs} pairs, best net edge now ${pct(scanner.best_edge?.roi)}.`
    : "No scanner reports.";
  return html`<p class="empty">No open positions. ${paused}${alive}</p>`;
}

function position(s, row) {
  const open = expanded.has(row.id);
  return html`
    <article class="position" data-row tabindex="0" aria-label=${row.event_title}
      @keydown=${(event) => event.target === event.currentTarget && onKey(event, s, row)}>
      <header>
        <h3>${row.event_title}</h3>
        ${phaseMark(row.phase)} ${row.stale ? staleMark() : nothing}
      </header>
      <ul class="legs">
        ${VENUES.map(([venue, name]) => legLine(name, row.legs[venue]))}
      </ul>
      ${numbers(row)}
      ${row.note ? html`<p class="hint">${row.note}</p>` : nothing}
      <footer>
        ${closeButton(s, row)}
        <button type="button" class="quiet" aria-expanded=${open ? "true" : "false"}
          @click=${() => expand(row.id)}>Timeline ${open ? "▴" : "▾"}</button>
        ${temporalLink(s, row.workflow_id ?? row.arb_id)}
      </footer>
      ${open ? timeline(row) : nothing}
    </article>
  `;
}

function numbers(row) {
  const now = row.close_now === null || row.close_now === undefined ? null : trend(row.close_now);
  return html`
    <dl class="figures">
      <div><dt>Cost</dt><dd>${cost(row.cost)}</dd></div>
      <div><dt>Pays at least</dt><dd>${usd(row.payout)}</dd></div>
      <div><dt>Worst case</dt><dd>${usd(row.worst, { sign: true })}</dd></div>
      <div><dt>Best case</dt><dd>${usd(row.best, { sign: true })}</dd></div>
      <div><dt>Close now</dt>
        <dd class=${now?.name ?? ""} title=${byWhichBook(row.close_now, row)}>${now
          ? html`<span aria-hidden="true">${now.mark}</span> ${usd(row.close_now, { sign: true })}`
          : "–"} ${missing(row.close_now, row)}</dd></div>
      <div><dt>Settles</dt><dd title=${day(row.settles_at)}>${row.days_left
        ? `${size(row.days_left)} d · ${pct(row.annualised, { places: 0 })} p.a.` : "–"}</dd></div>
    </dl>
  `;
}

/** Why a position cannot be closed now; "" where it can. */
export function whyNotClose(row) {
  const words = Object.values(row.legs).map((leg) => leg.state);
  if (NOT_CLOSABLE.includes(row.phase)) return `${row.phase}: nothing to close`;
  if (words.includes("unknown")) return "A leg is unknown: the venue is being asked first";
  if (words.some((word) => ON_ITS_WAY.includes(word))) {
    return "A leg is on its way: its venue has not answered yet";
  }
  return whyNotSend();
}

function closeButton(s, row) {
  const key = `close:${row.id}`;
  const whyNot = whyNotClose(row);
  const phase = pendingPhase(key);
  return html`
    <button type="button" class="button small" data-close aria-disabled=${whyNot || phase
      ? "true" : "false"} title=${whyNot} @click=${() => close(row, whyNot || phase)}>
      ${phase ? "Closing…" : "Close Position"}
    </button>
    ${phase && phase !== "sending"
      ? html`<span class="hint" role="status">${pendingText(key, "Closing")}</span>` : nothing}
  `;
}

function close(row, whyNot) {
  if (whyNot) return toast(whyNotClose(row) || "Already closing", { severity: "warn" });
  openClose(row);
}

function expand(id) {
  if (!expanded.delete(id)) expanded.add(id);
  touch("positions");
}

function onKey(event, s, row) {
  if (event.key === "Enter") expand(row.id);
  if (event.key === "x") close(row, whyNotClose(row) || pendingPhase(`close:${row.id}`));
}
