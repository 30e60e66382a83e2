// Pinned while any leg is naked: what is exposed, what is being tried, what a person can do.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { closePosition, command, pendingPhase, whyNotSend } from "../commands.js";
import { openDialog } from "../dialog.js";
import { age, until } from "../clock.js";
import { size, span, usd } from "../fmt.js";
import { toast } from "../toast.js";
import { phaseMark, temporalLink } from "./legs.js";

const ACTIONS = [
  ["retry", "Retry now", (leg) => `Try the sale again at once, with a fresh set of attempts, within
    the loss budget of ${usd(leg.loss_budget)}.`],
  ["accept", "Accept loss now", (leg) => `Sell ${size(leg.size)} at any price. By the book seen
    last that is ${usd(leg.loss_now, { sign: true })}; it may be worse.`],
  ["take_over", "Take over", () => `Automatic sales stop for this trade. You sell by hand at the
    venue, then mark it resolved here.`],
  ["mark_resolved", "Mark resolved", (leg) => `Say that the ${size(leg.size)} contracts are dealt
    with. Nothing is sent; the venue is asked what is held, and a difference stays an alarm.`],
];
const PATHS = { retry: "retry", take_over: "take-over", mark_resolved: "resolve" };

export function unhedgedPanel(s) {
  const { legs, usd: exposed } = s.unhedged;
  if (!legs.length) return nothing;
  return html`
    <section class="panel alarm" aria-labelledby="unhedged-title">
      <h2 class="panel-title" id="unhedged-title"><span aria-hidden="true">✖</span>
        Unhedged: ${usd(exposed)}</h2>
      <div class="panel-body">${legs.map((leg) => nakedLeg(s, leg))}</div>
    </section>
  `;
}

function nakedLeg(s, leg) {
  return html`
    <article class="naked" aria-label=${leg.title}>
      <header><h3>${leg.title}</h3> ${phaseMark(leg.phase)} ${temporalLink(s, leg.arb_id)}</header>
      <p><b>${leg.venue} ${leg.outcome} × ${size(leg.size)}</b>, ${usd(leg.exposure)} exposed for
        ${span(age(leg.since))}; sold now ${usd(leg.loss_now, { sign: true })}</p>
      <p>${leg.trying}${retryCountdown(leg)}</p>
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
  const press = () => {
    if (whyNot) return toast(whyNot, { severity: "warn" });
    openDialog({
      title: `${label}: ${leg.title}`,
      body: html`<p>${says(leg)}</p>
        <dl class="facts"><dt>Exposed</dt><dd>${usd(leg.exposure)}</dd>
          <dt>Sold now</dt><dd>${usd(leg.loss_now, { sign: true })}</dd></dl>`,
      confirm: { label, danger: key === "accept", act: () => act(leg, key) },
    });
  };
  return html`
    <button type="button" class="button small" data-action=${key} title=${whyNot}
      aria-disabled=${whyNot || phase ? "true" : "false"} @click=${press}>
      ${phase ? "Asking…" : label}
    </button>
  `;
}

async function act(leg, key) {
  if (key === "accept") {
    const answer = await closePosition(leg.position_id ?? leg.arb_id, null);
    if (!answer.ok) toast(answer.problem.detail, { severity: "warn" });
    return;
  }
  const id = encodeURIComponent(leg.position_id ?? leg.arb_id);
  await command(`${key}:${leg.arb_id}`, `/api/v1/positions/${id}/${PATHS[key]}`, {});
}
