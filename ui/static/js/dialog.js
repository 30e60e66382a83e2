// One modal dialog. Cancel has the focus; what is confirmed is said in numbers.

import { html, nothing, render } from "../vendor/lit-html-3.3.3/lit-html.js";

let opened = null;

const element = () => document.getElementById("dialog");

/** Open it. `body` is a template or a function that gives one; `redraw` calls it again.
 *
 *  confirm: { label, danger, hold (ms), word, whyNot, act }. With `hold` the button must be held;
 *  with `word` the typed word also opens it. Without `confirm` there is only Close. */
export function openDialog({ title, body, confirm = null, onClose = null, wide = false }) {
  const dialog = element();
  dialog.close();
  over();
  opened = { title, body, confirm, onClose, wide, typed: "", busy: false };
  // The event of the dialog before comes once this one is open already.
  dialog.onclose = () => !dialog.open && over();
  redraw();
  dialog.showModal();
  dialog.querySelector("[data-cancel]").focus();
}

function over() {
  opened?.onClose?.();
  opened = null;
  render(nothing, element());
}

export function closeDialog() {
  element().close();
}

export const dialogOpen = () => element()?.open ?? false;

/** Draw the open dialog again after its facts changed. */
export function redraw() {
  if (opened) render(frame(opened), element());
}

function frame(now) {
  const body = typeof now.body === "function" ? now.body() : now.body;
  return html`
    <div class="dialog-box ${now.wide ? "wide" : ""}">
      <h2 id="dialog-title">${now.title}</h2>
      <div class="dialog-body">${body}</div>
      ${now.confirm?.word ? wordInput(now) : nothing}
      <div class="dialog-actions">
        <button type="button" data-cancel class="button" @click=${closeDialog}>
          ${now.confirm ? "Cancel" : "Close"}
        </button>
        ${now.confirm ? confirmButton(now) : nothing}
      </div>
    </div>
  `;
}

function wordInput(now) {
  const { word, hold } = now.confirm;
  return html`
    <label class="word">
      <span>${hold ? "Or type" : "Type"} <b>${word}</b> to confirm</span>
      <input
        type="text"
        autocomplete="off"
        spellcheck="false"
        @input=${(event) => {
          now.typed = event.target.value;
          redraw();
        }}
      />
    </label>
  `;
}

function confirmButton(now) {
  const { label, danger, hold, word } = now.confirm;
  const whyNot = now.confirm.whyNot?.() ?? "";
  const typed = word && now.typed.trim() === word;
  const byHold = hold && !typed;
  const blocked = Boolean(whyNot) || now.busy || (word && !hold && !typed);
  const why = whyNot || (word && !hold && !typed ? `Type ${word} first` : "");
  return html`
    <button
      type="button"
      data-confirm
      class="button ${danger ? "danger" : "primary"}"
      aria-disabled=${blocked ? "true" : "false"}
      title=${why}
      data-hold=${byHold ? hold : nothing}
      @click=${() => !byHold && !blocked && act(now)}
      @held=${() => act(now)}
    >
      ${byHold ? html`<span class="ring" aria-hidden="true"></span>` : nothing}
      ${now.busy ? "Asking…" : byHold ? `Hold: ${label}` : label}
    </button>
  `;
}

async function act(now) {
  now.busy = true;
  redraw();
  const keepOpen = await now.confirm.act();
  now.busy = false;
  if (opened !== now) return;
  if (keepOpen) redraw();
  else closeDialog();
}
