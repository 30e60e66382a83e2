// The list: what is drawn, and when it may move. Nothing moves under pointer, focus or open card.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { guard } from "../../vendor/lit-html-3.3.3/directives/guard.js";
import { repeat } from "../../vendor/lit-html-3.3.3/directives/repeat.js";
import { pct, span } from "../fmt.js";
import { age } from "../clock.js";
import { recallJson, remember } from "../prefs.js";
import { state, touch } from "../store.js";
import { card, cardRow } from "./card.js";
import { detailsRevision, loadDetails } from "./details.js";
import { arrange, chosen, expired } from "./filters.js";
import { copyTicket } from "./ticket.js";

const CALM_MS = 2_000;
const COPIED_MS = 1_500;
const SCROLLED_PX = 160;
const FADE_MS = 5_000;
const MOVED_AT_ONCE = 24;

const open = new Set();
const copied = new Set();
const fadingSince = new Map();
const onScreen = new Set();
const pinned = new Set(recallJson("pinned", []));
let order = [];
let waiting = 0;
let arrangedAt = 0;
let hovered = false;
let second = 0;

const act = {
  toggle(id) {
    if (!open.delete(id)) {
      open.add(id);
      loadDetails(id);
      requestAnimationFrame(() => requestAnimationFrame(() => bringIntoSight(id)));
    }
    touch("cards");
  },
  pin(id) {
    if (!pinned.delete(id)) pinned.add(id);
    remember("pinned", JSON.stringify([...pinned]));
    applyNow();
  },
  async copy(one) {
    if (!(await copyTicket(one))) return;
    copied.add(one.id);
    touch("cards");
    setTimeout(() => {
      copied.delete(one.id);
      touch("cards");
    }, COPIED_MS);
  },
};

/** An opened card takes a row of its own: keep its head where it can be read. */
function bringIntoSight(id) {
  document.querySelector(`.card[data-id="${CSS.escape(id)}"]`)
    ?.scrollIntoView({ block: "nearest" });
}

/** Watch the pointer over `root`, and which cards are on the screen. */
export function startList(root) {
  root.addEventListener("contentvisibilityautostatechange", ({ target, skipped }) => {
    if (skipped) onScreen.delete(target.dataset.id);
    else onScreen.add(target.dataset.id);
    touch("cards");
  });
  root.addEventListener("pointerenter", () => (hovered = true));
  root.addEventListener("pointerleave", () => {
    hovered = false;
    touch("cards");
  });
}

/** Once per second: ages grow, and a calm list may be put in order. */
export function tickList() {
  second += 1;
  touch("cards");
}

/** Put the list in order now. */
export function applyNow() {
  order = arrange(state.cards, pinned);
  waiting = 0;
  arrangedAt = Date.now();
  touch("cards", "queue");
}

function frozen() {
  const root = document.getElementById("cards");
  return hovered || open.size > 0 || root.contains(document.activeElement)
    || globalThis.scrollY > SCROLLED_PX;
}

function settleOrder() {
  if (!order.length) return applyNow();
  if (Date.now() - arrangedAt < CALM_MS) return;
  arrangedAt = Date.now();
  const wanted = arrange(state.cards, pinned);
  const moves = countMoves(order, wanted);
  if (moves && !frozen()) {
    order = keepFading(moves > MOVED_AT_ONCE ? towards(wanted) : wanted);
    waiting = 0;
  } else {
    waiting = moves;
  }
  touch("queue");
}

/** A long list is put in order from its top, some places at a time: moving all of it at once
 * would hold up what is looked at. */
function towards(wanted) {
  const known = new Set(order);
  const fixed = wanted.findIndex((id, index) => order[index] !== id) + MOVED_AT_ONCE;
  const top = new Set(wanted.slice(0, fixed));
  const target = new Set(wanted);
  const rest = order.filter((id) => target.has(id) && !top.has(id));
  return [...top, ...rest, ...wanted.slice(fixed).filter((id) => !known.has(id))];
}

/** Cards that have just expired stay in place until they have faded. */
function keepFading(wanted) {
  const now = Date.now();
  const target = new Set(wanted);
  const kept = order.filter((id) => {
    const one = state.cards.get(id);
    if (!one || target.has(id) || !expired(one)) return false;
    if (!fadingSince.has(id)) fadingSince.set(id, now);
    return now - fadingSince.get(id) < FADE_MS;
  });
  return [...wanted, ...kept];
}

function countMoves(shown, wanted) {
  const target = new Set(wanted);
  const known = new Set(shown);
  const added = wanted.filter((id) => !known.has(id)).length;
  const kept = shown.filter((id) => target.has(id));
  const common = wanted.filter((id) => known.has(id));
  const moved = kept.filter((id, index) => common[index] !== id).length;
  return added + (shown.length - kept.length) + moved;
}

export function cardList(s) {
  if (!s.ready) return html`<p class="empty">Waiting for the first word from the server.</p>`;
  settleOrder();
  const shown = order.map((id) => s.cards.get(id)).filter(Boolean);
  if (!shown.length) return emptyState(s);
  return chosen.view === "table" ? tableOf(shown) : gridOf(shown);
}

function context(one) {
  return {
    open: open.has(one.id), pinned: pinned.has(one.id), copied: copied.has(one.id),
    expired: expired(one), act,
  };
}

/** A card off the screen is drawn once, and again when it comes into sight. */
function drawn(one, template) {
  if (template === card && !onScreen.has(one.id)) return guard([one.id], () => firstDrawn(one));
  const now = context(one);
  const depends = [one, second, now.open, now.pinned, now.copied, detailsRevision(one.id)];
  return guard(depends, () => template(one, now));
}

const firstDrawn = (one) => card(one, context(one));

function gridOf(shown) {
  const cards = repeat(shown, (one) => one.id, (one) => drawn(one, card));
  return html`<div class="grid ${open.size ? "opened" : ""}">${cards}</div>`;
}

function tableOf(shown) {
  const heads = ["Event", "Confidence", "Polymarket", "Kalshi", "ROI", "Shares", "Cost", "Net",
    "Verdict", ""];
  return html`
    <div class="scroll"><table class="log dense">
      <thead><tr>${heads.map((head) => html`<th scope="col">${head
        || html`<span class="hidden">Copy</span>`}</th>`)}</tr></thead>
      <tbody>${repeat(shown, (one) => one.id, (one) => drawn(one, cardRow))}</tbody>
    </table></div>
  `;
}

function emptyState({ cards, scanner }) {
  const hidden = cards.size
    ? html`${cards.size} opportunities are hidden by the filters.`
    : html`Nothing to buy right now.`;
  return html`<p class="empty">${hidden} ${scanner ? scanning(scanner)
    : "The scanner has not reported yet: start it with lockstep run executor."}</p>`;
}

/** The scanner as one sentence that only a running scanner can say. */
export function scanning(scanner) {
  const { pairs, checks_per_s: rate, best_edge: best, last_opportunity_at: last } = scanner;
  const edge = best ? `, best net edge now ${pct(best.roi)}` : "";
  const when = last ? `, last opportunity ${span(age(last))} ago` : ", no opportunity yet";
  return `Scanning ${pairs} pairs, ${rate} checks/s${edge}${when}.`;
}

export function queuePill() {
  if (!waiting) return nothing;
  return html`<button type="button" id="apply-changes" class="pill" @click=${applyNow}>
    ${waiting} changes · r to apply</button>`;
}
