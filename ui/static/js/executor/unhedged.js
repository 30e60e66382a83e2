// Pinned while any leg is naked: what is exposed, what is being tried, what a person can do.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { closePosition, command, pendingPhase, whyNotSend } from "../commands.js";
import { openDialog, redraw } from "../dialog.js";
import { age, until } from "../clock.js";
import { cost, isDecimal, plus, size, span, usd } from "../fmt.js";
import { toast } from "../toast.js";
import { byWhichBook, missing, whyNoFigure } from "./figures.js";
import { phaseMark, temporalLink } from "./legs.js";

// What a person may do: label, what it does in words, and whether it may cost more than now.
const ACTIONS = [
  ["retry", "Retry now", (leg) => `Try the sale again at once, with a fresh set of attempts${
    leg.loss_budget ? ` that may lose ${cost(leg.loss_budget)} together` : ""}.`],
  ["accept", "Accept loss now", (leg) => `Sell everything that this trade holds at any price. ${
    bringsNow(leg)}`],
  ["hold", "Hold as it is", (leg) => `Sell nothing more and keep the uneven pair until the question
    resolves. It ends between ${usd(leg.worst, { sign: true })} and
    ${usd(leg.best, { sign: true })}.`],
  ["take_over", "Take over", (leg) => `Automatic sales stop for this trade. You sell the
    ${size(leg.size)} ${leg.outcome} by hand at ${leg.venue}, then mark it resolved here.`],
  ["mark_resolved", "Mark resolved", (leg) => `Say that the ${size(leg.size)} ${leg.outcome} are
    dealt with. Nothing is sent to a venue, and the trade ends with the cash that you name.`],
];

function bringsNow(leg) {
  const why = whyNoFigure(leg.loss_now, leg);
  if (why) return `Nobody knows what the naked ${size(leg.size)} bring: ${why}.`;
  const result = usd(leg.loss_now, { sign: true });
  return `By the book seen last the naked ${size(leg.size)} bring ${result}; it may be worse.`;
}

const PATHS = {
  retry: "retry", hold: "hold", take_over: "take-over", mark_resolved: "resolve",
};

export function unhedgedPanel(s) {
  const { legs, usd: exposed } = s.unhedged;
  if (!legs.length) return nothing;
  return html`
    <section class="panel alarm" aria-labelledby="unhedged-title">
      <h2 class="panel-title" id="unhedged-title"><span aria-hidden="true">✖</span>
        Unhedged: ${cost(exposed)}</h2>
      <div class="panel-body">${legs.map((leg) => nakedLeg(s, leg))}</div>
    </section>
  `;
}

function nakedLeg(s, leg) {
  return html`
    <article class="naked" aria-label=${leg.title}>
      <header><h3>${leg.title}</h3> ${phaseMark(leg.phase)} ${temporalLink(s, leg.arb_id)}</header>
      <p><b>${leg.venue} ${leg.outcome} × ${size(leg.size)}</b>, ${cost(leg.exposure)} exposed for
        ${span(age(leg.since))}; <span title=${byWhichBook(leg.loss_now, leg)}>sold now
          ${usd(leg.loss_now, { sign: true })}</span> ${missing(leg.loss_now, leg)}</p>
      <p>${leg.kept ? "Kept by a person's word: nothing is being sold." : leg.trying}
        ${retryCountdown(leg)}</p>
      <footer>${ACTIONS.map(([key, label, says]) => actionButton(leg, key, label, says))}</footer>
    </article>
  `;
}

function retryCountdown({ next_retry_at: next }) {
  if (!next) return nothing;
  const left = until(next);
  return html` · <span role="timer">${left > 0 ? `next try in ${span(left)}` : "trying"}</span>`;
}

function actionButton(leg, key, label, says) {
  const offered = leg.actions?.[key];
  if (offered === undefined) return nothing;
  const whyNot = offered === true ? whyNotSend() : offered;
  const phase = pendingPhase(`${key}:${leg.arb_id}`);
  return html`
    <button type="button" class="button small" data-action=${key} title=${whyNot}
      aria-disabled=${whyNot || phase ? "true" : "false"}
      @click=${() => (whyNot ? toast(whyNot, { severity: "warn" }) : ask(leg, key, label, says))}>
      ${phase ? "Asking…" : label}
    </button>
  `;
}

function ask(leg, key, label, says) {
  const form = { evidence: "", cash: "" };
  const resolving = key === "mark_resolved";
  openDialog({
    title: `${label}: ${leg.title}`,
    body: () => html`<p>${says(leg)}</p>
      <dl class="facts"><dt>Exposed</dt><dd>${cost(leg.exposure)}</dd>
        <dt>Sold now</dt><dd>${usd(leg.loss_now, { sign: true })}
          ${missing(leg.loss_now, leg)}</dd>
        ${resolving ? outcome(leg, form) : nothing}</dl>
      ${resolving ? evidence(form) : nothing}`,
    confirm: {
      label,
      danger: ["accept", "mark_resolved"].includes(key),
      whyNot: () => whyNotSend() || (resolving ? whyNotResolved(form) : ""),
      act: () => act(leg, key, form),
    },
  });
}

function outcome({ flow }, { cash }) {
  const ends = isDecimal(cash.replace("-", "")) ? usd(plus(flow, cash), { sign: true }) : "–";
  return html`<dt>Paid so far</dt><dd>${usd(flow, { sign: true })}</dd>
    <dt>The trade ends with</dt><dd id="ends-with"><b>${ends}</b></dd>`;
}

function evidence(form) {
  const typed = (name) => (event) => {
    form[name] = event.target.value;
    redraw();
  };
  return html`
    <label class="field"><span>What did you do, and where can it be seen?</span>
      <input id="evidence" maxlength="2000" autocomplete="off" .value=${form.evidence}
        @input=${typed("evidence")} /></label>
    <label class="field"><span>Cash it brought ($; with a minus what it cost)</span>
      <input id="cash" inputmode="decimal" autocomplete="off" .value=${form.cash}
        @input=${typed("cash")} /></label>
  `;
}

function whyNotResolved({ evidence: said, cash }) {
  if (!said.trim()) return "Say what you did and where it can be seen";
  return isDecimal(cash.trim().replace(/^-/, "")) ? "" : "The cash is not an amount";
}

async function act(leg, key, form) {
  const id = leg.position_id ?? leg.arb_id;
  if (key === "accept") {
    const answer = await closePosition(id, { loss_max: null });
    if (!answer.ok) toast(answer.problem.detail, { severity: "warn" });
    return;
  }
  const path = `/api/v1/positions/${encodeURIComponent(id)}/${PATHS[key]}`;
  const body = key === "mark_resolved"
    ? { evidence: form.evidence.trim(), cash: form.cash.trim() } : {};
  const answer = await command(`${key}:${leg.arb_id}`, path, body);
  if (answer.ok) toast(`${DONE[key]}: ${leg.title}`, { severity: "good" });
}

const DONE = {
  retry: "Asked to try again", hold: "Held as it is", take_over: "Yours now",
  mark_resolved: "Marked resolved",
};
