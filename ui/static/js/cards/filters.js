// What is shown and in which order. The choice lives in the address, so that it can be shared.

import { html } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { live } from "../../vendor/lit-html-3.3.3/directives/live.js";
import { until } from "../clock.js";
import { recallJson, remember } from "../prefs.js";
import { touch } from "../store.js";

const DEFAULTS = {
  show: "all", expired: "hide", sort: "roi", q: "", category: "", yes: "", roi: "", profit: "",
  depth: "", within: "", only: "", view: "cards",
};
const QUICK = [["all", "All"], ["high", "HIGH only"], ["medium", "MEDIUM+"]];
const SORTS = {
  roi: ["ROI", (card) => -Number(card.roi)],
  annualised: ["Annualised", (card) => -Number(card.annualised ?? 0)],
  profit: ["Net profit", (card) => -Number(card.profit)],
  depth: ["Depth", (card) => -Number(card.depth ?? 0)],
  expiry: ["Expiry", (card) => Date.parse(card.expires_at) || Infinity],
  newest: ["Newest", (card) => -Date.parse(card.found_at)],
};
const RANK = { LOW: 0, MEDIUM: 1, HIGH: 2 };
const LEAST = { all: 0, medium: 1, high: 2 };

export const chosen = { ...DEFAULTS };
let onChange = () => {};

/** Read the choice from the address; `changed` runs after every change. */
export function startFilters(changed) {
  onChange = changed;
  const query = new URLSearchParams(location.search);
  for (const name of Object.keys(DEFAULTS)) if (query.has(name)) chosen[name] = query.get(name);
  if (!SORTS[chosen.sort]) chosen.sort = DEFAULTS.sort;
}

/** Change some of the choice. */
export function choose(change) {
  Object.assign(chosen, change);
  const query = new URLSearchParams(
    Object.entries(chosen).filter(([name, value]) => value !== DEFAULTS[name]),
  );
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  touch("filters");
  onChange();
}

export const expired = (card) => card.state === "expired" || until(card.expires_at) <= 0;

/** Whether a card passes. One whose end no venue names never counts as expired. */
export function passes(card, pinned) {
  if (pinned.has(card.id)) return true;
  const c = chosen;
  if ((RANK[card.confidence] ?? 0) < LEAST[c.show]) return false;
  if (c.expired === "hide" && expired(card)) return false;
  if (c.only && !card.verdict.ok) return false;
  if (c.category && card.category !== c.category) return false;
  if (c.yes && card.legs[c.yes]?.outcome !== "YES") return false;
  if (c.within && !(until(card.expires_at) <= Number(c.within) * 3_600_000)) return false;
  const least = (name) => !c[name] || Number(card[name]) >= Number(c[name]);
  if (!least("roi") || !least("profit") || !least("depth")) return false;
  return !c.q || card.title.toLowerCase().includes(c.q.toLowerCase());
}

const keys = new WeakMap();

/** The place of a card in the chosen order; smaller comes first. */
export function sortKey(card) {
  let known = keys.get(card);
  if (known?.sort !== chosen.sort) {
    known = { sort: chosen.sort, value: SORTS[chosen.sort][1](card) };
    keys.set(card, known);
  }
  return known.value;
}

/** The ids to show, in order; pinned cards first. */
export function arrange(cards, pinned) {
  return [...cards.values()]
    .filter((card) => passes(card, pinned))
    .sort((a, b) => pinned.has(b.id) - pinned.has(a.id) || sortKey(a) - sortKey(b)
      || (a.id < b.id ? -1 : 1))
    .map((card) => card.id);
}

export function filterBar(s) {
  const counts = { all: 0, medium: 0, high: 0 };
  for (const card of s.cards.values()) {
    const rank = RANK[card.confidence] ?? 0;
    for (const [name, least] of Object.entries(LEAST)) if (rank >= least) counts[name] += 1;
  }
  return html`
    <div class="quick">
      <div class="segments" role="group" aria-label="Confidence">
        ${QUICK.map(([value, label]) => html`<button type="button" data-show=${value}
          aria-pressed=${chosen.show === value ? "true" : "false"}
          @click=${() => choose({ show: value })}>${label} <small>${counts[value]}</small>
        </button>`)}
      </div>
      <span class="bar" aria-hidden="true"></span>
      ${switchFor("Hide expired", "expired", "hide", "show", "hide-expired")}
      <span class="bar" aria-hidden="true"></span>
      <label class="inline">Sort:
        <select id="sort" @change=${(event) => choose({ sort: event.target.value })}>
        ${Object.entries(SORTS).map(([value, [label]]) => html`<option value=${value}
          ?selected=${chosen.sort === value}>${label}</option>`)}
      </select></label>
      <label class="inline search"><span class="hidden">Filter by text</span>
        <input type="search" id="search" placeholder="Filter ( / )" .value=${live(chosen.q)}
          @input=${(event) => choose({ q: event.target.value })} /></label>
      <div class="segments" role="group" aria-label="Density">
        ${["cards", "table"].map((name) => html`<button type="button" @click=${() =>
          choose({ view: name })} aria-pressed=${chosen.view === name ? "true" : "false"}>
          ${name}</button>`)}
      </div>
    </div>
    ${more(s)}
  `;
}

function switchFor(label, name, on, off, id) {
  const is = chosen[name] === on;
  return html`<button type="button" id=${id} class="switch" aria-pressed=${is ? "true" : "false"}
    @click=${() => choose({ [name]: is ? off : on })}>
    <span aria-hidden="true">${is ? "☑" : "☐"}</span> ${label}</button>`;
}

function more(s) {
  const categories = [...new Set([...s.cards.values()].map((card) => card.category))].sort();
  const option = (name, value, label) => html`<option value=${value}
    ?selected=${chosen[name] === value}>${label}</option>`;
  const pick = (label, name, options) => html`<label class="inline">${label}
    <select @change=${(event) => choose({ [name]: event.target.value })}>
      ${option(name, "", "any")}${options.map(([value, text]) => option(name, value, text))}
    </select></label>`;
  const least = (label, name) => html`<label class="inline">${label}
    <input inputmode="decimal" size="5" .value=${live(chosen[name])}
      @change=${(event) => choose({ [name]: event.target.value.trim() })} /></label>`;
  return html`
    <details class="more-filters">
      <summary>More filters</summary>
      <div class="quick">
        ${pick("Category", "category", categories.map((name) => [name, name]))}
        ${pick("YES on", "yes", [["polymarket", "Polymarket"], ["kalshi", "Kalshi"]])}
        ${least("Min ROI %", "roi")} ${least("Min profit $", "profit")}
        ${least("Min depth", "depth")}
        ${pick("Expires within", "within", [["1", "1 h"], ["24", "1 day"], ["168", "7 days"]])}
        ${switchFor("Executable now", "only", "executable", "", "only-executable")}
        ${savedViews()}
        <button type="button" class="quiet" @click=${() => choose({ ...DEFAULTS })}>Reset</button>
      </div>
    </details>
  `;
}

function savedViews() {
  const saved = recallJson("views", {});
  const keep = (event) => {
    const name = event.target.value.trim();
    if (!name) return;
    remember("views", JSON.stringify({ ...saved, [name]: { ...chosen } }));
    event.target.value = "";
    touch("filters");
  };
  return html`
    ${Object.entries(saved).map(([name, view]) => html`<button type="button" class="switch"
      @click=${() => choose({ ...DEFAULTS, ...view })}>${name}</button>`)}
    <label class="inline">Save view as <input size="8" @change=${keep} /></label>
  `;
}
