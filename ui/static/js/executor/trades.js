// Recent trades: the seed's log, filtered, cleared from view, continued by keyset pages.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { repeat } from "../../vendor/lit-html-3.3.3/directives/repeat.js";
import { get } from "../api.js";
import { now } from "../clock.js";
import { openDialog, redraw } from "../dialog.js";
import { cost, day, pct, trend, usd, when } from "../fmt.js";
import { recall, remember } from "../prefs.js";
import { apply, newestFirst, onMessage, state, touch } from "../store.js";
import { toast } from "../toast.js";
import { guaranteedMark } from "./final.js";
import { phaseMark, STATUSES, statusMark, temporalLink, legLine, VENUES } from "./legs.js";
import { orderWaterfall } from "./orders.js";
import { timeline } from "./timeline.js";

const PAGE = 50;
const SHOWN_FIRST = 50;
const filter = { status: "", mode: "" };
let clearedBefore = recall("trades.cleared", "");
let shownMax = SHOWN_FIRST;
// Where older trades follow: undefined before a page was asked for, null where there are none.
let cursor;
let begun = 0;
let loading = false;

// A whole state begins with the newest trades again: older pages are asked for anew from there.
onMessage(({ type }) => type === "init" && startOver());

function startOver() {
  cursor = undefined;
  begun += 1;
}

export function tradesPanel(s) {
  const rows = [...s.trades.values()]
    .filter((row) => row.timestamp > clearedBefore)
    .filter((row) => !filter.status || row.status === filter.status)
    .filter((row) => !filter.mode || row.mode === filter.mode)
    .sort(newestFirst);
  return html`
    <div class="panel-title">
      <h2 id="trades-title">Recent Trades</h2>
      <div class="panel-tools">
        ${choose("Status", "status", Object.keys(STATUSES))}
        ${choose("Mode", "mode", ["sim", "paper", "live"])}
        ${clearedBefore ? html`<button type="button" class="quiet" @click=${showAll}>Show all
          </button>` : nothing}
        <button type="button" class="button small" id="clear-trades" @click=${clear}>Clear</button>
      </div>
    </div>
    <div class="panel-body trades">
      ${rows.length ? table(s, rows.slice(0, shownMax)) : emptyState(s)}
      ${older(s, rows)}
    </div>
  `;
}

function choose(label, key, values) {
  return html`
    <label class="inline"><span class="hidden">${label}</span>
      <select aria-label=${label} @change=${(event) => {
        filter[key] = event.target.value;
        startOver();
        touch("trades");
      }}>
        <option value="">${label}: all</option>
        ${values.map((value) => html`<option value=${value}>${value}</option>`)}
      </select></label>
  `;
}

function emptyState({ stats }) {
  if (clearedBefore) return html`<p class="empty">Cleared from view. New trades appear here; the
    journal keeps every one.</p>`;
  const today = stats ? `${stats.trades} trades today.` : "";
  return html`<p class="empty">No trades match. ${today}</p>`;
}

function table(s, rows) {
  return html`
    <table class="log">
      <thead><tr><th scope="col">Time</th><th scope="col">Status</th><th scope="col">Event</th>
        <th scope="col">Bet</th><th scope="col">P&amp;L</th><th scope="col">Expected</th>
        <th scope="col">Result</th><th scope="col"><span class="hidden">Links</span></th></tr>
      </thead>
      <tbody>${repeat(rows, (row) => row.id, (row) => trade(s, row))}</tbody>
    </table>
  `;
}

function trade(s, row) {
  const pnl = row.exact?.pnl ?? row.pnl;
  const { mark, name } = trend(pnl);
  return html`
    <tr data-row tabindex="0" data-status=${row.status}
      @keydown=${(event) => event.key === "Enter" && event.target === event.currentTarget
        && details(s, row)}>
      <td data-label="Time"><time title=${day(row.timestamp)}>${when(row.timestamp)}</time></td>
      <td data-label="Status">${statusMark(row.status)}</td>
      <td data-label="Event" class="event">${row.event}</td>
      <td data-label="Bet" class="number">${cost(row.exact?.bet_size ?? row.bet_size)}</td>
      <td data-label="P&amp;L" class="number ${name}"><span><span aria-hidden="true">${mark}</span>
        ${usd(pnl, { sign: true })} ${guaranteedMark(row)}</span></td>
      <td data-label="Expected" class="number muted">${row.exact?.expected
        ? usd(row.exact.expected, { sign: true }) : "–"}</td>
      <td data-label="Result" class="result">${row.status === "SUCCESS"
        ? `${pct(row.exact?.roi ?? row.roi)} ROI` : row.reason || "–"}</td>
      <td class="row-links">
        <button type="button" class="quiet" @click=${() => details(s, row)}>Details</button>
        ${temporalLink(s, row.arb_id)}
      </td>
    </tr>
  `;
}

async function details(s, row) {
  let answer = null;
  openDialog({
    title: row.event,
    wide: true,
    body: () => {
      if (!answer) return html`<p class="muted">Reading the journal…</p>`;
      if (!answer.ok) return html`<p class="warn">▲ ${answer.problem.detail}</p>`;
      return tradeDetails(s, answer.data);
    },
  });
  answer = await get(`/api/v1/arbitrages/${encodeURIComponent(row.arb_id)}`);
  redraw();
}

function tradeDetails(s, arb) {
  return html`
    <p>${phaseMark(arb.phase)} ${statusMark(arb.status)} ${arb.reason}
      ${temporalLink(s, arb.workflow_id ?? arb.arb_id)}</p>
    <ul class="legs">${VENUES.map(([venue, name]) => legLine(name, arb.legs[venue]))}</ul>
    ${arb.waterfall ? waterfall(arb.waterfall) : nothing}
    ${timeline(arb)}
    ${orderWaterfall(arb)}
  `;
}

function waterfall(steps) {
  return html`
    <table class="plain numbers">
      <thead><tr><th scope="col"></th><th scope="col">Expected</th><th scope="col">Realised</th>
      </tr></thead>
      <tbody>${steps.map((step) => html`<tr><th scope="row">${step.name}</th>
        <td>${usd(step.expected, { sign: true, places: 4 })}</td>
        <td>${step.realised ? usd(step.realised, { sign: true, places: 4 }) : "–"}</td></tr>`)}
      </tbody>
    </table>
  `;
}

function clear() {
  const before = clearedBefore;
  // Both are the server's time; a trade may be newer than what we know of it.
  const newest = [...state.trades.values()].map((row) => row.timestamp).sort().at(-1) ?? "";
  const at = new Date(now()).toISOString();
  setCleared(newest > at ? newest : at);
  toast("Cleared from view; the journal keeps every trade", { undo: () => setCleared(before) });
}

const showAll = () => setCleared("");

function setCleared(iso) {
  clearedBefore = iso;
  remember("trades.cleared", iso);
  touch("trades");
}

/** The cursor of the next page that is not here; null where there is none. */
function following() {
  if (cursor !== undefined) return cursor;
  return filter.status || filter.mode ? undefined : state.trades_next;
}

function older(s, rows) {
  const none = clearedBefore || following() === null || (!rows.length && !s.trades.size);
  if (none && rows.length <= shownMax) return nothing;
  return html`<button type="button" class="quiet older" aria-busy=${loading ? "true" : "false"}
    @click=${() => more(rows)}>${loading ? "Reading…" : "Older trades"}</button>`;
}

async function more(rows) {
  if (shownMax < rows.length) {
    shownMax += PAGE;
    return touch("trades");
  }
  if (loading) return;
  loading = true;
  touch("trades");
  const asked = begun;
  const query = new URLSearchParams({ limit: String(PAGE) });
  const at = following();
  if (at) query.set("cursor", at);
  if (filter.status) query.set("status", filter.status);
  if (filter.mode) query.set("mode", filter.mode);
  const answer = await get(`/api/v1/trades?${query}`);
  loading = false;
  if (asked !== begun) return touch("trades");
  if (answer.ok) {
    cursor = answer.data.next;
    shownMax += PAGE;
    apply({ type: "patch", data: { trades: { upsert: answer.data.items } } });
  } else {
    toast(answer.problem.detail, { severity: "warn" });
  }
  touch("trades");
}
