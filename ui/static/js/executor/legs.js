// How a leg and a trade are named, in words, marks and colours.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { price, size } from "../fmt.js";

export const VENUES = [
  ["polymarket", "Poly"],
  ["kalshi", "Kalshi"],
];

const LEG_STATES = {
  planned: ["○", "planned", "quiet"],
  sent: ["◔", "sent", "busy"],
  matched: ["◕", "matched", "busy"],
  settled: ["●", "settled", "good"],
  unknown: ["?", "unknown", "alarm"],
  failed: ["✕", "not filled", "quiet"],
  sold: ["↩", "sold back", "quiet"],
  neutral: ["=", "neutral pair", "quiet"],
};

const PHASES = {
  RESERVING: ["◌", "busy"], PLACING: ["➤", "busy"], RESOLVING: ["?", "busy"],
  UNWINDING: ["↩", "alarm"], HOLDING: ["●", "good"], CLOSING: ["↩", "busy"],
  SETTLING: ["◕", "busy"], NEEDS_OPERATOR: ["✖", "alarm"],
  REFUSED: ["✕", "quiet"], FLAT: ["○", "quiet"], SETTLED: ["✓", "good"],
};

/** The seed's words for the trade log. */
export const STATUSES = {
  SUCCESS: ["✓", "good"],
  FAILED: ["✕", "quiet"],
  ROLLED_BACK: ["↩", "warned"],
  PARTIAL: ["◐", "warned"],
  ROLLBACK_FAILED: ["✖", "alarm"],
};

const mark = (icon, word, tone) =>
  html`<span class="mark mark-${tone}"><span aria-hidden="true">${icon}</span> ${word}</span>`;

export const legMark = (state) => mark(...(LEG_STATES[state] ?? ["?", state, "quiet"]));

export function phaseMark(phase) {
  const [icon, tone] = PHASES[phase] ?? ["?", "quiet"];
  return mark(icon, phase, tone);
}

/** What a row shows is the journal's last word: its workflow did not give its own. */
export const staleMark = () => mark("◌", "from the journal, no worker answers", "warned");

export function statusMark(status) {
  const [icon, tone] = STATUSES[status] ?? ["?", "quiet"];
  return mark(icon, status, tone);
}

/** One leg as the seed writes it, "Poly YES @ 0.51", with size and how far it got. */
export function legLine(name, leg) {
  return html`
    <li class="leg">
      <span class="leg-what">${name} ${leg.outcome} @ ${price(leg.price)}</span>
      <span class="leg-size">× ${size(leg.held ?? leg.size)}</span>
      ${legMark(leg.state)}
      ${leg.error ? html`<span class="leg-error">${leg.error}</span>` : nothing}
    </li>
  `;
}

/** Link to the workflow; nothing where no Temporal UI is known. */
export function temporalLink({ links }, arbId) {
  if (!links?.temporal_ui || !arbId) return nothing;
  const { temporal_ui: base, namespace = "default" } = links;
  const href = `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${
    encodeURIComponent(arbId)}`;
  return html`<a class="quiet" href=${href} target="_blank" rel="noreferrer noopener">
    Temporal <span aria-hidden="true">↗</span></a>`;
}
