// Every order of a trade as a waterfall: intent, sent, answered, settled, in milliseconds.

import { html, nothing, svg } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { price, size, span, whenMs } from "../fmt.js";

const PAUSE_MS = 5_000;
const WIDTH = 240;
const NAMES = { polymarket: "Poly", kalshi: "Kalshi" };
const RESULTS = {
  planned: ["○", "not sent"], sent: ["◔", "sent"], unknown: ["?", "unknown"],
  filled: ["●", "filled"], not_filled: ["✕", "not filled"],
};

const at = (iso) => (iso ? Date.parse(iso) : null);

/** Orders that follow one another closely share an axis; a close hours later has its own. */
function groups(orders) {
  const found = [];
  let end = -Infinity;
  for (const order of orders) {
    const start = at(order.created_at);
    if (start - end > PAUSE_MS) found.push([]);
    found.at(-1).push(order);
    end = Math.max(end, at(order.answered_at) ?? at(order.sent_at) ?? start);
  }
  return found;
}

export function orderWaterfall({ orders }) {
  if (!orders?.length) return nothing;
  const first = at(orders[0].created_at);
  return html`
    <h3 class="minor">Every order, by the journal's own times</h3>
    <div class="scroll">
      <table class="plain numbers waterfall">
        <thead><tr><th scope="col">Order</th><th scope="col"><span class="hidden">Course</span></th>
          <th scope="col">Sent</th><th scope="col">Answered</th><th scope="col">Settled</th>
          <th scope="col">Result</th></tr></thead>
        ${groups(orders).map((group) => part(group, first))}
      </table>
    </div>
    <p class="hint legend"><span class="key key-written"></span> written down, not sent yet
      <span class="key key-waiting"></span> waiting for the answer
      <span class="key key-asking"></span> answer lost, the venue is asked</p>
  `;
}

function part(group, first) {
  const start = at(group[0].created_at);
  const ends = group.map((one) => at(one.answered_at) ?? at(one.sent_at) ?? at(one.created_at));
  const end = Math.max(start + 1, ...ends);
  const later = start - first > PAUSE_MS
    ? html`<tr><td colspan="6" class="muted">${span(start - first)} later</td></tr>` : nothing;
  return html`<tbody>${later}${group.map((order) => row(order, start, end))}</tbody>`;
}

function row(order, start, end) {
  const [icon, word] = RESULTS[order.state] ?? ["?", order.state];
  const created = at(order.created_at);
  const since = (iso) => (iso ? html`<span title=${whenMs(iso)}>+${span(at(iso) - created)}</span>`
    : "–");
  const asked = order.questions ? `, asked ${order.questions}×` : "";
  return html`<tr>
    <th scope="row">${NAMES[order.venue]} ${order.action.toUpperCase()} ${order.outcome}
      <small>${size(order.size)} @ ${price(order.limit)} · ${order.purpose}</small></th>
    <td class="bar">${bars(order, start, end)}</td>
    <td>${since(order.sent_at)}</td><td>${since(order.answered_at)}</td>
    <td>${since(order.settled_at)}</td>
    <td class="result"><span aria-hidden="true">${icon}</span>
      ${order.rejection ?? word}${asked}</td>
  </tr>`;
}

function bars(order, start, end) {
  const [created, sent, asked, answered] = ["created_at", "sent_at", "asked_at", "answered_at"]
    .map((name) => at(order[name]));
  const x = (moment) => ((moment - start) / (end - start)) * WIDTH;
  const piece = (from, to, name) => (from === null || to === null || to < from ? nothing
    : svg`<rect class=${name} x=${x(from)} y="3" width=${Math.max(1.5, x(to) - x(from))}
        height="10"></rect>`);
  const lost = asked !== null && answered !== null && asked < answered ? asked : null;
  return html`<svg class="course" viewBox="0 0 ${WIDTH} 16" preserveAspectRatio="none"
    aria-hidden="true">
    ${piece(created, sent, "written")} ${piece(sent, lost ?? answered, "waiting")}
    ${piece(lost, answered, "asking")}</svg>`;
}
