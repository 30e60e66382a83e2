// What a person needs to believe or reject a card: rules, ladders, costs, ids.

import { html, nothing, svg } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { get } from "../api.js";
import { age } from "../clock.js";
import { day, pct, price, size, span, trend, usd, whenMs, zone } from "../fmt.js";
import { touch } from "../store.js";
import { marked } from "./difference.js";

const LEGS = [["polymarket", "Polymarket"], ["kalshi", "Kalshi"]];
const LEVELS_MAX = 6;
const KNOWN = { true: ["✓", "good"], false: ["✕", "loss"], null: ["?", "warn"] };
const known = new Map();

/** Read the details of a card; they are kept until it is opened again. */
export async function loadDetails(id) {
  known.set(id, null);
  touch("cards");
  known.set(id, await get(`/api/v1/cards/${encodeURIComponent(id)}`));
  bump(id);
}

const revisions = new Map();
const bump = (id) => {
  revisions.set(id, (revisions.get(id) ?? 0) + 1);
  touch("cards");
};

/** Grows whenever the details of a card change. */
export const detailsRevision = (id) => revisions.get(id) ?? 0;

export function details(card) {
  const answer = known.get(card.id);
  if (!answer) return html`<div class="details"><p class="muted">Reading…</p></div>`;
  if (!answer.ok) {
    return html`<div class="details"><p class="warn">▲ ${answer.problem.detail}</p>
      ${identities(card, null)}</div>`;
  }
  const facts = answer.data;
  return html`
    <div class="details">
      <section>${evidence(card, facts)} ${life(facts)}</section>
      <section class="rules">${rules(facts)}</section>
      <section>${ladders(card, facts)}</section>
      <section>${waterfall(facts)}</section>
      <section>${identities(card, facts)}</section>
    </div>
  `;
}

function evidence(card, { evidence: found }) {
  return html`
    <h4>Why ${card.confidence}</h4>
    <ul class="evidence">${(found ?? []).map(({ known: is, text }) => {
      const [icon, tone] = KNOWN[String(is)];
      return html`<li class=${tone}><span aria-hidden="true">${icon}</span> ${text}</li>`;
    })}${found?.length ? nothing : html`<li class="warn"><span aria-hidden="true">?</span>
      Nothing was reviewed: both titles merely look alike.</li>`}</ul>
  `;
}

function rules({ rules: texts }) {
  if (!texts) {
    return html`<h4>Rules</h4><p class="warn"><span aria-hidden="true">?</span> Not read yet from
      both venues: read them there before you trust this pair.</p>`;
  }
  const { compared, sides: [left, right] } = differences(texts);
  return html`
    <h4>Rules side by side${compared ? ", differences marked" : ""}</h4>
    ${compared ? nothing : html`<p class="warn"><span aria-hidden="true">▲</span> Too long to be
      compared: no difference is marked. Read both.</p>`}
    <div class="beside">${side("Polymarket", texts.polymarket, left)}
      ${side("Kalshi", texts.kalshi, right)}</div>
  `;
}

const found = new WeakMap();

/** Two texts are compared once, however often they are drawn. */
function differences(texts) {
  if (!found.has(texts)) found.set(texts, marked(texts.polymarket.text, texts.kalshi.text));
  return found.get(texts);
}

function side(name, { title, closes_at: closes, settles_at: settles }, words) {
  const ends = [closes && `closes ${day(closes)}`, settles && `settles ${day(settles)}`];
  return html`
    <div><h5>${name}</h5><p><b>${title}</b></p>
      <p class="rule" tabindex="0">${words.map(({ text, differs }) => (differs
        ? html`<mark>${text}</mark> ` : `${text} `))}</p>
      <p class="muted">${ends.filter(Boolean).join(" · ") || "no time is named"}</p></div>`;
}

function ladders(card, { ladders: found, max_size: most, capped_by: cap }) {
  if (!found) return nothing;
  return html`
    <h4>Asks, our fill marked</h4>
    <div class="beside">${LEGS.map(([venue, name]) => ladder(name, card.legs[venue].outcome,
      found[venue] ?? []))}</div>
    ${most ? html`<p class="hint">At most ${size(most)} contracts${cap ? `, capped by ${cap}` : ""}.
      </p>` : nothing}
  `;
}

function ladder(name, outcome, levels) {
  const shown = levels.slice(0, LEVELS_MAX);
  const most = Math.max(1, ...shown.map((level) => Number(level.size)));
  return html`
    <table class="plain numbers ladder">
      <caption>${name} ${outcome}</caption>
      <thead><tr><th scope="col">Price</th><th scope="col">Size</th><th scope="col">Ours</th>
        <td></td></tr></thead>
      <tbody>${shown.map((level) => html`<tr class=${Number(level.taken) ? "ours" : ""}>
        <td>${price(level.price)}</td><td>${size(level.size)}</td>
        <td>${Number(level.taken) ? `◀ ${size(level.taken)}` : ""}</td>
        <td class="bar">${bar(Number(level.size) / most, Number(level.taken) / most)}</td>
      </tr>`)}</tbody>
    </table>
  `;
}

const bar = (all, ours) => svg`<svg viewBox="0 0 100 8" preserveAspectRatio="none"
  aria-hidden="true"><rect class="depth" width=${all * 100} height="8"></rect>
  <rect class="taken" width=${ours * 100} height="8"></rect></svg>`;

function waterfall({ waterfall: steps }) {
  if (!steps?.length) return nothing;
  return html`
    <h4>From gross edge to net</h4>
    <table class="plain numbers"><tbody>${steps.map((step) => {
      const { mark, name } = trend(step.amount);
      return html`<tr><th scope="row">${step.name}</th><td class=${name}>
        <span aria-hidden="true">${mark}</span>
        ${usd(step.amount, { sign: true, places: 4 })}</td></tr>`;
    })}</tbody></table>
  `;
}

function life({ life: lived, history }) {
  if (!lived) return nothing;
  return html`
    <h4>Life so far</h4>
    <p>Open ${span(age(lived.opened_at))}, peak ${pct(lived.peak_roi)}</p>
    ${history?.length > 1 ? html`<div class="sparks">
      ${spark("Polymarket", history.map((point) => Number(point.polymarket)))}
      ${spark("Kalshi", history.map((point) => Number(point.kalshi)))}
      ${spark("Net edge", history.map((point) => Number(point.edge)))}</div>` : nothing}
  `;
}

function spark(name, values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const spread = high - low || 1;
  const points = values.map((value, index) =>
    `${(index / (values.length - 1)) * 100},${22 - ((value - low) / spread) * 20}`);
  return html`
    <figure><svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" role="img"
      aria-label="${name} from ${values[0]} to ${values.at(-1)}, low ${low}, high ${high}">
      <polyline points=${points.join(" ")}></polyline></svg>
      <figcaption>${name} ${values.at(-1)}</figcaption></figure>
  `;
}

function identities(card, facts) {
  const link = (leg) => (leg.url
    ? html`<a href=${safe(leg.url)} target="_blank" rel="noreferrer noopener">${leg.url}</a>`
    : "–");
  return html`
    <h4>Ids, addresses and times (in ${zone()} where no zone is named)</h4>
    <dl class="facts ids">
      ${LEGS.map(([venue, name]) => html`
        <dt>${name} market</dt><dd><code>${card.legs[venue].market}</code></dd>
        <dt>${name} token</dt><dd><code>${card.legs[venue].token ?? "–"}</code></dd>
        <dt>${name} page</dt><dd>${link(card.legs[venue])}</dd>
        <dt>${name} book</dt><dd>${whenMs(card.legs[venue].book_at)}</dd>
        <dt>${name} closes</dt><dd>${day(card.legs[venue].closes_at)}</dd>
        <dt>${name} settles</dt><dd>${day(card.legs[venue].settles_at)}</dd>`)}
      <dt>Found</dt><dd>${whenMs(card.found_at)}</dd>
      <dt>Pair</dt><dd><code>${facts?.pair_id ?? card.pair_id}</code></dd>
    </dl>
  `;
}

/** Addresses come from the venues: only the web is followed. */
function safe(url) {
  return /^https?:\/\//i.test(url) ? url : "about:blank";
}
