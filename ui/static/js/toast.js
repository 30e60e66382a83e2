// Short answers to one's own acts, and critical events. Three, unless more of them are critical:
// those stay until they are dismissed, and leave room for one answer.

import { html, render } from "../vendor/lit-html-3.3.3/lit-html.js";
import { repeat } from "../vendor/lit-html-3.3.3/directives/repeat.js";

const SHOWN_MAX = 3;
const SHOWN_MS = 6_000;
const ICONS = { info: "ℹ", good: "✓", warn: "▲", critical: "✖" };

let shown = [];
let counter = 0;

/** Show a text. `undo` adds a button that calls it; one `key` replaces what it showed before. */
export function toast(text, { severity = "info", undo = null, key = text } = {}) {
  const entry = { id: ++counter, text, severity, undo, key };
  shown = kept([entry, ...shown.filter((other) => other.key !== key)]);
  draw();
  if (!critical(entry)) setTimeout(() => dismiss(entry.id), SHOWN_MS);
}

const critical = ({ severity }) => severity === "critical";

function kept(entries) {
  let room = Math.max(1, SHOWN_MAX - entries.filter(critical).length);
  return entries.filter((entry) => critical(entry) || room-- > 0);
}

function dismiss(id) {
  shown = shown.filter((entry) => entry.id !== id);
  draw();
}

function draw() {
  const polite = shown.filter((entry) => !critical(entry));
  const urgent = shown.filter(critical);
  render(list(polite), document.getElementById("toasts"));
  render(list(urgent), document.getElementById("toasts-critical"));
}

function list(entries) {
  return repeat(
    entries,
    (entry) => entry.id,
    (entry) => html`
      <div class="toast ${entry.severity}">
        <span aria-hidden="true">${ICONS[entry.severity]}</span>
        <span>${entry.text}</span>
        ${entry.undo ? undoButton(entry) : ""}
        <button type="button" class="quiet" aria-label="Dismiss" @click=${() => dismiss(entry.id)}>
          ✕
        </button>
      </div>
    `,
  );
}

function undoButton(entry) {
  const act = () => {
    dismiss(entry.id);
    entry.undo();
  };
  return html`<button type="button" class="quiet" @click=${act}>Undo</button>`;
}
