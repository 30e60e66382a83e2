// Equity curve and fill latencies, each with a sentence and a table that say the same.

import { html, nothing, render } from "../../vendor/lit-html-3.3.3/lit-html.js";
import uPlot from "../../vendor/uplot-1.6.32/uPlot.esm.js";
import { get } from "../api.js";
import { clock, cost, day, digits, span, usd, when } from "../fmt.js";
import { guaranteedMark, notFinal } from "./final.js";

const RANGES = ["1h", "24h", "7d", "all"];
const REFRESH_MS = 30_000;
const HEIGHT = 180;
const ROWS_MAX = 12;

let range = "24h";
let equityPlot = null;
let latencyPlot = null;

const byId = (id) => document.getElementById(id);
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Draw both now, every half minute, after each trade, and when theme or width change. */
export function startCharts() {
  const all = () => Promise.all([drawEquity(), drawLatency()]);
  all();
  setInterval(() => !document.hidden && all(), REFRESH_MS);
  document.addEventListener("themechange", all);
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", all);
  new ResizeObserver(resize).observe(byId("equity"));
  tools();
}

/** Draw the equity curve again, after a trade. */
export async function drawEquity() {
  const answer = await get(`/api/v1/stats/equity?range=${range}`);
  if (!answer.ok) return equityText(null, answer.problem.detail);
  const points = answer.data.points;
  equityText(points, "", notFinal(answer.data.guaranteed));
  equityPlot?.destroy();
  equityPlot = null;
  if (points.length < 2) return;
  const at = points.map((point) => Date.parse(point.at) / 1000);
  const values = points.map((point) => Number(point.net));
  equityPlot = new uPlot(equityOptions(values), [at, values], byId("equity-chart"));
}

function equityOptions(values) {
  const colour = token(values.at(-1) < 0 ? "--loss" : "--gain");
  return {
    ...frame(byId("equity-chart")),
    axes: [{ ...axis(), values: times }, { ...axis(), size: 56, values: dollars }],
    series: [
      {},
      { label: "Net", stroke: colour, width: 2, fill: `${colour}22`, points: { show: false } },
    ],
  };
}

const dollars = (_, ticks) => ticks.map((tick) => usd(tick));

// Ranges above two days are labelled by date, those below ten minutes with seconds.
function times(plot, ticks) {
  const seconds = plot.scales.x.max - plot.scales.x.min;
  const time = (at) => (seconds < 600 ? clock(at) : clock(at).slice(0, 5));
  const label = (at) => (seconds > 172_800 ? day(at).slice(0, 6) : time(at));
  return ticks.map((tick) => label(tick * 1000));
}

function frame(root) {
  return {
    width: Math.max(220, root.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    padding: [8, 8, 0, 0],
  };
}

const axis = () => ({
  stroke: token("--muted"),
  grid: { stroke: token("--line"), width: 1 },
  ticks: { show: false },
  font: "11px system-ui, sans-serif",
});

function equityText(points, problem, waits = "") {
  const root = byId("equity-text");
  if (problem) return render(html`<p class="warn">▲ ${problem}</p>`, root);
  if (points.length < 2) {
    return render(html`<p class="empty">Not enough trades in this range for a curve.</p>`, root);
  }
  const last = points.at(-1);
  const rows = points.slice(-ROWS_MAX);
  return render(
    html`
      <p class="hint">Net of fees ${usd(last.net, { sign: true })} over ${points.length} trades,
        from ${day(points[0].at)}${waits ? `, ${waits}` : ""}.</p>
      <details><summary>As a table</summary>
        <table class="plain numbers"><thead><tr><th scope="col">Time</th><th scope="col">Net</th>
          <th scope="col">Fees</th></tr></thead>
          <tbody>${rows.map((point) => html`<tr><td>${when(point.at)}</td>
            <td>${usd(point.net, { sign: true })} ${guaranteedMark(point)}</td>
            <td>${cost(point.fees)}</td></tr>`)}</tbody>
        </table>
        ${points.length > rows.length ? html`<p class="hint">and ${points.length - rows.length}
          more before these: the trade log has every one</p>` : nothing}</details>
    `,
    root,
  );
}

function tools() {
  const choose = (name) => {
    range = name;
    tools();
    drawEquity();
  };
  render(
    html`<div class="segments" role="group" aria-label="Range">
      ${RANGES.map((name) => html`<button type="button" aria-pressed=${name === range ? "true"
        : "false"} @click=${() => choose(name)}>${name}</button>`)}
    </div>`,
    byId("equity-tools"),
  );
}

async function drawLatency() {
  const answer = await get("/api/v1/stats/latency");
  const root = byId("latency-text");
  if (!answer.ok) return render(html`<p class="warn">▲ ${answer.problem.detail}</p>`, root);
  const { buckets, venues } = answer.data;
  latencyPlot?.destroy();
  latencyPlot = null;
  latencyText(root, venues);
  if (!venues.polymarket.count && !venues.kalshi.count) return undefined;
  const at = buckets.map((_, index) => index);
  const data = [at, venues.polymarket.counts, venues.kalshi.counts];
  latencyPlot = new uPlot(latencyOptions(buckets), data, byId("latency-chart"));
  return undefined;
}

function latencyOptions(buckets) {
  const bars = (side) => uPlot.paths.bars({ size: [0.4, 40], align: side });
  return {
    ...frame(byId("latency-chart")),
    scales: { x: { time: false, range: [-0.5, buckets.length - 0.5] } },
    axes: [
      {
        ...axis(),
        values: (_, ticks) => ticks.map((t) => (Number.isInteger(t) ? span(buckets[t]) : "")),
      },
      { ...axis(), size: 40 },
    ],
    series: [
      {},
      series("Polymarket", token("--poly"), bars(-1)),
      series("Kalshi", token("--kalshi"), bars(1)),
    ],
  };
}

const series = (label, colour, paths) => ({
  label, stroke: colour, fill: `${colour}99`, width: 1, paths, points: { show: false },
});

function latencyText(root, venues) {
  const rows = [["Polymarket", "poly", venues.polymarket], ["Kalshi", "kalshi", venues.kalshi]];
  const total = rows.reduce((count, [, , venue]) => count + venue.count, 0);
  if (!total) {
    render(html`<p class="empty">No order has been answered in the last 24 h.</p>`, root);
    return;
  }
  render(
    html`
      <table class="plain numbers">
        <thead><tr><th scope="col">Send to answer</th><th scope="col">p50</th>
          <th scope="col">p95</th><th scope="col">p99</th><th scope="col">Orders</th></tr></thead>
        <tbody>${rows.map(([name, key, venue]) => html`<tr>
          <th scope="row"><span class="swatch swatch-${key}" aria-hidden="true"></span>${name}</th>
          <td>${span(venue.p50_ms)}</td><td>${span(venue.p95_ms)}</td><td>${span(venue.p99_ms)}</td>
          <td>${digits(venue.count, 0)}</td></tr>`)}</tbody>
      </table>
    `,
    root,
  );
}

function resize() {
  for (const [plot, id] of [[equityPlot, "equity-chart"], [latencyPlot, "latency-chart"]]) {
    plot?.setSize({ width: Math.max(220, byId(id).clientWidth), height: HEIGHT });
  }
}
