// Balances and today's statistics.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { age } from "../clock.js";
import { micro, pct, price, span, trend, usd } from "../fmt.js";
import { notFinal, winsNotFinal } from "./final.js";

const PARTS = [
  ["free", "Free"],
  ["in_orders", "In orders"],
  ["in_positions", "In positions"],
  ["awaiting_settlement", "Awaiting settlement"],
];

export function balances({ balances: found, scanner }) {
  if (!found) return html`<p class="muted">No balance has been read yet.</p>`;
  const { poly, kalshi } = found.detail ?? {};
  return html`
    <dl class="money">
      <dt>Polymarket:</dt><dd id="balance-poly">${usd(found.poly_exact ?? found.poly)}</dd>
      <dt>Kalshi:</dt><dd id="balance-kalshi">${usd(found.kalshi_exact ?? found.kalshi)}</dd>
      <dt class="total">Total:</dt>
      <dd class="total" id="balance-total">${usd(found.total ?? sum(found))}</dd>
    </dl>
    ${poly && kalshi ? parts(poly, kalshi) : nothing}
    ${found.cap ? html`<p class="hint">${found.cap.text} ${room(found.cap, scanner)}</p>` : nothing}
  `;
}

/** How many contracts the capping venue's free cash buys, before fees, of the best pair now. */
function room({ venue, free }, scanner) {
  const best = scanner?.best_edge;
  const each = micro(best?.prices?.[venue]);
  if (!each) return nothing;
  return html`Room for ${micro(free) / each} contracts at ${price(best.prices[venue])}, as in
    ${best.title}.`;
}

function sum({ poly, kalshi }) {
  const total = micro(poly) + micro(kalshi);
  return `${total / 1_000_000n}.${String(total % 1_000_000n).padStart(6, "0")}`;
}

function parts(poly, kalshi) {
  return html`
    <table class="plain numbers parts">
      <thead><tr><th></th><th scope="col">Polymarket</th><th scope="col">Kalshi</th></tr></thead>
      <tbody>
        ${PARTS.map(([key, label]) => html`<tr><th scope="row">${label}</th>
          <td>${usd(poly[key])}</td><td>${usd(kalshi[key])}</td></tr>`)}
        <tr class="muted"><th scope="row">Read</th>
          <td>${span(age(poly.as_of))} ago</td><td>${span(age(kalshi.as_of))} ago</td></tr>
      </tbody>
    </table>
  `;
}

export function stats({ stats: found, settings }) {
  if (!found || !settings) return html`<p class="muted">Nothing counted yet.</p>`;
  const pnl = found.detail?.pnl ?? found.pnl;
  const { mark, name } = trend(pnl);
  const waits = found.detail?.guaranteed;
  return html`
    <dl class="money">
      <dt>Trades:</dt><dd id="stat-trades">${found.trades} / ${settings.max_daily_trades}</dd>
      <dt>P&amp;L:</dt><dd id="stat-pnl" class=${name}>
        <span aria-hidden="true">${mark}</span> ${usd(pnl, { sign: true })}
        <small class="guaranteed">${notFinal(waits)}</small></dd>
      <dt>Win Rate:</dt><dd id="stat-wins">${winRate(found)}
        <small class="guaranteed">${waits?.wins
          ? `${found.wins} won, ${winsNotFinal(waits)}` : ""}</small></dd>
    </dl>
  `;
}

function winRate({ trades, wins, detail }) {
  if (!trades) return "–";
  return pct(detail?.win_rate ?? Math.floor((wins * 100) / trades), { places: 0 });
}
