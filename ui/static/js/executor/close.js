// The Close dialog: what selling both legs now would bring, against holding them.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { get } from "../api.js";
import { closePosition, isUnknown, whyNotSend } from "../commands.js";
import { openDialog, redraw } from "../dialog.js";
import { clock, cost, day, isDecimal, isPrice, micro, price, size, usd } from "../fmt.js";
import { state, touch } from "../store.js";
import { toast } from "../toast.js";
import { byWhichBook } from "./figures.js";
import { VENUES } from "./legs.js";

/** Ask for the preview, show it, and close on confirmation. */
export async function openClose(row) {
  const path = `/api/v1/positions/${encodeURIComponent(row.id)}/close-preview`;
  const form = { preview: null, lossMax: "", limits: {}, anyPrice: false };
  openDialog({
    title: `Close ${row.event_title}`,
    wide: true,
    body: () => body(form),
    confirm: {
      label: "Close Position",
      danger: true,
      whyNot: () => whyNot(form),
      act: () => act(row, form),
    },
  });
  form.preview = await get(path);
  if (form.preview.ok) form.lossMax = form.preview.data.loss_max ?? "";
  redraw();
}

function whyNot({ preview, lossMax, limits, anyPrice }) {
  if (!preview) return "Asking both venues what they would pay";
  if (!preview.ok) return preview.problem.detail;
  if (lossMax.trim() !== "" && !isDecimal(lossMax)) return "The loss limit is not an amount";
  const short = VENUES.map(([venue, name]) => whyNotLimit(name, limits[venue],
    preview.data.legs[venue].worst_price)).find(Boolean);
  return short || preview.data.why_not || whyNotUnbound(preview.data, lossMax, anyPrice)
    || whyNotSend();
}

/** Without a figure nothing fills in the bound: that there is none has to be somebody's word. */
function whyNotUnbound({ unpriced }, lossMax, anyPrice) {
  if (!unpriced.length || lossMax.trim() !== "" || anyPrice) return "";
  return "Say what it may lose at most, or that it may sell at any price";
}

/** Why a sale cannot have this limit; "" where it can, or where there is none. */
function whyNotLimit(name, limit = "", worst) {
  if (!limit.trim()) return "";
  if (!isPrice(limit)) return `The limit of ${name} is not a price between 0 and 1`;
  if (!worst || micro(worst) >= micro(limit)) return "";
  return `${name} pays ${price(worst)} for the last contract, below the limit`;
}

function body(form) {
  const { preview } = form;
  if (!preview) return html`<p class="muted">Asking both venues what they would pay…</p>`;
  if (!preview.ok) return html`<p class="warn">▲ ${preview.problem.detail}</p>`;
  const facts = preview.data;
  return html`
    <p class="verdict">Close now <b>${usd(facts.result, { sign: true })}</b> vs hold ≥
      <b>${usd(facts.hold_at_least, { sign: true })}</b> until ${day(facts.hold_until)}
      <small class="no-figure">${byWhichBook(facts.result, facts)}</small></p>
    ${legTable(facts.legs)}
    <label class="field">
      <span>Lose at most ($)</span>
      <input inputmode="decimal" id="loss-max" .value=${form.lossMax}
        @input=${(event) => {
          form.lossMax = event.target.value;
          redraw();
        }} />
      <span class="field-note">Both legs are sold fill-or-kill within this bound; empty accepts any
        price.</span>
    </label>
    ${VENUES.map(([venue, name]) => html`<label class="field">
      <span>${name} not below</span>
      <input inputmode="decimal" id="limit-${venue}" placeholder="any price"
        .value=${form.limits[venue] ?? ""}
        @input=${(event) => {
          form.limits[venue] = event.target.value;
          redraw();
        }} />
      <span class="field-note">${facts.legs[venue].worst_price
        ? `The last contract would bring ${price(facts.legs[venue].worst_price)}` : ""}</span>
    </label>`)}
    ${facts.why_not ? html`<p class="warn">▲ ${facts.why_not}</p>` : unpricedNote(form)}
  `;
}

function unpricedNote(form) {
  const facts = form.preview.data;
  if (!facts.unpriced.length) return nothing;
  return html`
    <p class="warn">▲ ${facts.unpriced_why}: what its sale brings is not known.</p>
    <label class="field">
      <span>Sell at any price</span>
      <input type="checkbox" id="any-price" .checked=${form.anyPrice}
        @change=${(event) => {
          form.anyPrice = event.target.checked;
          redraw();
        }} />
      <span class="field-note">All that it cost may be lost; a bound that is given above
        holds.</span>
    </label>
  `;
}

function legTable(legs) {
  return html`
    <table class="plain numbers">
      <thead><tr><th scope="col">Sell</th><th scope="col">Contracts</th>
        <th scope="col">Average price</th><th scope="col">Slippage</th><th scope="col">Fee</th>
        <th scope="col">Proceeds</th></tr></thead>
      <tbody>
        ${VENUES.map(([venue, name]) => {
          const leg = legs[venue];
          return html`<tr><th scope="row">${name} ${leg.outcome}</th><td>${size(leg.size)}</td>
            <td>${price(leg.average_price)}</td><td>${cost(leg.slippage)}</td>
            <td>${cost(leg.fee)}</td><td>${usd(leg.proceeds)}</td></tr>`;
        })}
      </tbody>
    </table>
  `;
}

function boundsOf({ lossMax, limits }) {
  const given = Object.entries(limits).filter(([, limit]) => limit.trim());
  return {
    loss_max: lossMax.trim() || null,
    limits: Object.fromEntries(given.map(([venue, limit]) => [venue, limit.trim()])),
  };
}

async function act(row, form) {
  const answer = await closePosition(row.id, boundsOf(form));
  if (!answer.ok) toast(answer.problem.detail, { severity: "warn" });
  const still = state.positions.get(row.id);
  if (!still) return;
  still.note = answer.ok
    ? `Close accepted by its workflow at ${clock(Date.now())}`
    : `${isUnknown(answer) ? "Not known whether it closes" : "Not closed"}: ${
      answer.problem.detail}`;
  touch("positions");
}
