// Short answers to one's own acts, and critical events. At most three; critical ones stay.

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
  shown = [entry, ...shown.filter((other) => other.key !== key)].slice(0, SHOWN_MAX);
  draw();
  if (severity !== "critical") setTimeout(() => dismiss(entry.id), SHOWN_MS);
}

function dismiss(id) {
  shown = shown.filter((entry) => entry.id !== id);
  draw();
}

function draw() {
  const polite = shown.filter((entry) => entry.severity !== "critical");
  const urgent = shown.filter((entry) => entry.severity === "critical");
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
