// The bell: how much happened since somebody looked, and all of it in one searchable list.

import { html, nothing, render, svg } from "../vendor/lit-html-3.3.3/lit-html.js";
import { openDialog } from "./dialog.js";
import { day, when } from "./fmt.js";
import { recall, remember } from "./prefs.js";
import { onMessage, state, touch } from "./store.js";

const SHOWN_MAX = 99;
const MARKS = { info: "•", warn: "▲", critical: "✖" };
const DRAWING = svg`<path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5a2 2 0 0 0 4 0"></path>`;
let seen = recall("bell.seen", "");

/** Lines that came after the last look. */
export const unread = (events, since) => events.filter((line) => line.at > since);

/** The button in the top bar. */
export function bell() {
  const fresh = unread(state.events, seen);
  const alarming = fresh.some((line) => line.severity === "critical");
  const count = fresh.length > SHOWN_MAX ? `${SHOWN_MAX}+` : String(fresh.length);
  return html`<button type="button" id="bell" class="quiet bell ${alarming ? "alarming" : ""}"
    aria-label="Activity, ${count} unread" title="Activity" @click=${openActivity}>
    <svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true" fill="none"
      stroke="currentColor" stroke-width="1.8" stroke-linejoin="round">${DRAWING}</svg>
    <span class="count" aria-hidden="true">${fresh.length ? count : ""}</span></button>`;
}

/** Show everything, newest first; what is shown counts as read. */
export function openActivity() {
  const since = seen;
  const root = document.createElement("div");
  let wanted = "";
  const draw = () => render(list(state.events, since, wanted, typed), root);
  const typed = (event) => {
    wanted = event.target.value.toLowerCase();
    draw();
  };
  draw();
  markRead();
  openDialog({ title: "Activity", body: root, wide: true });
}

function markRead() {
  if (!state.events.length) return;
  seen = state.events.reduce((newest, line) => (line.at > newest ? line.at : newest), seen);
  remember("bell.seen", seen);
  touch("bell");
}

function list(events, since, wanted, typed) {
  const rows = events.filter((line) => line.text.toLowerCase().includes(wanted));
  return html`
    <label class="field"><span>Search</span><input type="search" @input=${typed} /></label>
    ${rows.length ? html`<ol class="activity-list" tabindex="0" aria-label="Activity">
      ${rows.map((line) => html`<li class="severity-${line.severity} ${line.at > since ? "fresh"
        : ""}"><time title=${day(line.at)}>${when(line.at)}</time>
        <span aria-hidden="true">${MARKS[line.severity] ?? "•"}</span>
        <span>${line.text}${line.wants ? html` <span class="wants">➡ ${line.wants}</span>`
          : nothing}</span></li>`)}</ol>`
      : html`<p class="empty">${events.length ? "Nothing matches." : "Quiet so far."}</p>`}
  `;
}

onMessage(({ type }) => type === "event" && touch("bell"));
