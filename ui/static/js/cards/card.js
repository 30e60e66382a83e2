// One opportunity: the seed's streamlined card, with equal shares and an honest verdict.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { age, until } from "../clock.js";
import {
  compact, cost, day, digits, micro, pct, price, size, span, trend, usd,
} from "../fmt.js";
import { details } from "./details.js";
import { icon } from "./icons.js";

export const LEGS = [
  ["polymarket", "Poly", "Polymarket"],
  ["kalshi", "Kalshi", "Kalshi"],
];
const CONFIDENCE = { HIGH: "●", MEDIUM: "◐", LOW: "○" };
const VOLUME = "Contracts that both books offer now, at any price; not what was traded";
const DELAYED_MS = 2_000;
const STALE_MS = 10_000;

/** Below 1 % gray, 1 to 3 green, 3 to 5 bright green, above 5 gold and suspicious. */
export function roiBand(roi) {
  const units = micro(roi) ?? 0n;
  if (units < 1_000_000n) return { name: "gray", marks: "", says: "" };
  if (units < 3_000_000n) return { name: "green", marks: "▲", says: "" };
  if (units <= 5_000_000n) return { name: "bright", marks: "▲▲", says: "" };
  return { name: "gold", marks: "⚠", says: "suspicious" };
}

export function card(one, { open, pinned, copied, expired, act }) {
  const word = expired ? "expired" : one.state;
  return html`
    <article class="card confidence-${one.confidence.toLowerCase()} state-${word}
        ${open ? "open" : ""}" data-row
      tabindex="0" data-id=${one.id} aria-labelledby="title-${one.id}"
      @keydown=${(e) => e.target === e.currentTarget && e.key === "Enter" && act.toggle(one.id)}>
      <header>
        <h3 id="title-${one.id}">${icon(one.category)} ${one.title}</h3>
        ${stateChip(word)}
        <span class="confidence">${one.confidence}
          <span aria-hidden="true">${CONFIDENCE[one.confidence]}</span></span>
      </header>
      <p class="trade">
        ${buy(one.legs.polymarket, "Poly")} <span class="arrow" aria-hidden="true">→</span>
        ${buy(one.legs.kalshi, "Kalshi")}
      </p>
      <p class="headline">
        <span>ROI: ${roi(one.roi)}</span><span>Cost: <b>${cost(one.unit_cost)}</b></span
        ><span title=${VOLUME}>Vol: <b>${compact(one.volume)}</b></span>
      </p>
      ${sums(one)}
      <p class="verdict ${one.verdict.ok ? "would" : "skipped"}">
        <span aria-hidden="true">${one.verdict.ok ? "✓" : "✕"}</span> ${one.verdict.text}
        ${one.verdict.code ? html`<code>${one.verdict.code}</code>` : nothing}
      </p>
      <footer>
        <button type="button" class="button small" @click=${() => act.copy(one)}>
          ${copied ? "✓ Copied" : "Copy Trade"}</button>
        <button type="button" class="button small" aria-expanded=${open ? "true" : "false"}
          @click=${() => act.toggle(one.id)}>Details ${open ? "▲" : "▼"}</button>
        <button type="button" class="quiet" aria-pressed=${pinned ? "true" : "false"}
          aria-label="Pin" title="Pin to the top" @click=${() => act.pin(one.id)}
          >${pinned ? "★" : "☆"}</button>
        <span class="life">${countdown(one)}</span>
      </footer>
      ${open ? details(one) : nothing}
    </article>
  `;
}

function buy(leg, name) {
  return html`<span class="buy"><span>BUY <b>${leg.outcome}</b> ${name} @
    <b>${price(leg.price)}</b></span> ${freshness(leg.book_at)}</span>`;
}

function freshness(bookAt) {
  const old = age(bookAt);
  if (old < DELAYED_MS) return html`<small class="fresh">book live</small>`;
  const name = old < STALE_MS ? "delayed" : "stale";
  return html`<small class=${name}>book ${name} ${span(old)}</small>`;
}

export function roi(value) {
  const band = roiBand(value);
  const warning = "Above 5 %: first of all a warning. Check the rules.";
  return html`<b class="roi roi-${band.name}" title=${band.says ? warning : nothing}>
    ${band.marks ? html`<span aria-hidden="true">${band.marks}</span>` : nothing}
    ${pct(value)}${band.says ? html` <small>${band.says}</small>` : nothing}</b>`;
}

function sums(one) {
  const { mark, name } = trend(one.profit);
  const profit = html`<span class=${name}><span aria-hidden="true">${mark}</span>
    ${usd(one.profit, { sign: true })}</span>`;
  return html`
    <dl class="figures">
      <div><dt>Equal shares</dt><dd>${size(one.size)}</dd></div>
      <div><dt>Cost</dt><dd>${cost(one.cost)}</dd></div>
      <div><dt>Fees</dt><dd>${cost(one.fees)}</dd></div>
      <div><dt>Pays at least</dt><dd>${usd(one.payout)}</dd></div>
      <div><dt>Net profit</dt><dd>${profit}</dd></div>
      <div><dt>Annualised</dt><dd>${one.annualised ? pct(one.annualised, { places: 0 }) : "–"}</dd>
      </div>
    </dl>
  `;
}

const stateChip = (word) =>
  word === "live" ? nothing : html`<span class="chip chip-${word}">${word}</span>`;

/** How long the first of both markets still trades; nothing where neither venue says. */
function countdown({ expires_at: at }) {
  if (!at) return nothing;
  const left = until(at);
  return html`<time datetime=${at} title=${day(at)}>${left > 0 ? `closes in ${span(left)}`
    : "closed"}</time>`;
}

/** The same facts on one line. */
export function cardRow(one, { copied, expired, act }) {
  const { name } = trend(one.profit);
  return html`
    <tr class="confidence-${one.confidence.toLowerCase()} ${expired ? "state-expired" : ""}"
      data-row tabindex="0" data-id=${one.id}>
      <td>${one.title}</td>
      <td><span class="confidence">${one.confidence}
        <span aria-hidden="true">${CONFIDENCE[one.confidence]}</span></span></td>
      ${LEGS.map(([venue]) => html`<td>${one.legs[venue].outcome} @
        ${price(one.legs[venue].price)}</td>`)}
      <td class="number">${roi(one.roi)}</td>
      <td class="number">${digits(one.size, 0)}</td>
      <td class="number">${cost(one.cost)}</td>
      <td class="number ${name}">${usd(one.profit, { sign: true })}</td>
      <td>${one.verdict.text}</td>
      <td><button type="button" class="quiet" @click=${() => act.copy(one)}>
        ${copied ? "✓ Copied" : "Copy Trade"}</button></td>
    </tr>
  `;
}

