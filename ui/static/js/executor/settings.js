// The settings form: a draft here, version N+1 at the server, and who has it in force.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { live } from "../../vendor/lit-html-3.3.3/directives/live.js";
import { get, request } from "../api.js";
import { pendingPhase, pendingText, saveSettings, whyNotSend } from "../commands.js";
import { closeDialog, openDialog, redraw } from "../dialog.js";
import {
  cost, digits, isDecimal, micro, plus, size, usd, when, whenMs,
} from "../fmt.js";
import { state, touch } from "../store.js";
import { toast } from "../toast.js";

const FIELDS = [
  { name: "min_bet", label: "Min Bet", unit: "$", places: 2 },
  { name: "max_bet", label: "Max Bet", unit: "$", places: 2 },
  { name: "min_roi", label: "Min ROI", unit: "%", places: 1 },
  {
    name: "max_roi", label: "Max ROI", unit: "%", places: 1,
    note: "ignore above (likely a mismatch)",
  },
  { name: "max_daily_trades", label: "Max Daily Trades", unit: "", places: 0 },
  { name: "max_daily_loss", label: "Max Daily Loss", unit: "$", places: 2 },
];
// Raising these lets more money leave; for the rest lowering does.
const LOOSENED_BY_RAISING = ["max_bet", "max_roi", "max_daily_trades", "max_daily_loss"];

const draft = {};
const refusedAt = {};
// What was in force when the draft began: its version, and every value.
let base = null;

const shown = (field, value) => {
  const text = field.places ? digits(value, 6) : digits(value, 0);
  const [whole, fraction = ""] = text.replaceAll(",", "").split(".");
  const kept = fraction.replace(/0+$/, "").padEnd(field.places, "0");
  return kept ? `${whole}.${kept}` : whole;
};
const exactOf = (s, field) => s.settings.meta?.exact?.[field.name] ?? s.settings[field.name];
const withUnit = (field, value) =>
  (field.unit === "$" ? `$${shown(field, value)}` : `${shown(field, value)}${field.unit}`);

/** The fields where these values differ from what is saved. */
function changed(s, values = draft) {
  return FIELDS.filter(
    (field) => field.name in values && micro(values[field.name]) !== micro(exactOf(s, field)),
  );
}

/** The fields where these values let more money leave than what is saved. */
const loosened = (s, values) => changed(s, values).filter((field) => {
  const up = micro(values[field.name]) > micro(exactOf(s, field));
  return up === LOOSENED_BY_RAISING.includes(field.name);
});

const labelOf = (name) => FIELDS.find((field) => field.name === name)?.label ?? name;

/** What a field may be, in words, by the server's own ranges. */
function rangeOf(name, ranges) {
  const { least, above } = ranges[name] ?? {};
  if (least === undefined) return "";
  const [follower] = Object.keys(ranges).filter((other) => ranges[other].least === name);
  const low = least in ranges ? `at least ${labelOf(least)}`
    : above ? `above ${least}` : `${least} or more`;
  return follower ? `${low}, at most ${labelOf(follower)}` : low;
}

/** What is wrong with the draft, by field; the server refuses by the same ranges. */
function problems(values, ranges) {
  const found = {};
  for (const { name } of FIELDS) {
    if (!isDecimal(values[name])) found[name] = "must be a number with at most six decimals";
  }
  if (!found.max_daily_trades && !/^\d+$/.test(values.max_daily_trades)) {
    found.max_daily_trades = "must be a whole number";
  }
  for (const [name, { least, above }] of Object.entries(ranges)) {
    const follows = least in ranges;
    const low = micro(follows ? values[least] : least);
    const value = micro(values[name]);
    if (found[name] || value > low || (value === low && !above)) continue;
    found[name] = follows ? `must be at least ${labelOf(least)} ${values[least]}`
      : `must be ${rangeOf(name, ranges)}`;
  }
  return found;
}

/** What is allowed and yet hardly meant, by field. */
function warnings(s, values) {
  const found = {};
  const { poly, kalshi } = s.balances?.detail ?? {};
  const free = poly && kalshi ? plus(poly.free, kalshi.free) : null;
  if (free !== null && micro(values.max_bet) > micro(free)) {
    found.max_bet = `more than the ${usd(free)} that is free at both venues`;
  }
  if (micro(values.max_daily_loss) < micro(values.min_bet)) {
    found.max_daily_loss = "less than one bet: a single lost leg may exceed it";
  }
  return found;
}

function valuesOf(s) {
  return Object.fromEntries(
    FIELDS.map((field) => [field.name, draft[field.name] ?? shown(field, exactOf(s, field))]),
  );
}

export function settingsForm(s) {
  if (!s.settings) return html`<p class="muted">No settings have been read yet.</p>`;
  const values = valuesOf(s);
  const errors = { ...problems(values, s.settings.meta?.ranges ?? {}), ...refusedAt };
  const doubts = warnings(s, values);
  const changes = changed(s);
  const phase = pendingPhase("settings");
  const whyNot = whyNotSend();
  const blocked = !changes.length || Object.keys(errors).length || phase || whyNot;
  return html`
    <form id="settings-form" novalidate @submit=${(event) => submit(event, blocked)}>
      ${FIELDS.map((field) => input(s, field, values[field.name], errors[field.name],
        doubts[field.name]))}
      ${conflictNote(s)}
      ${changes.length ? difference(s, changes) : nothing}
      <div class="form-actions">
        <button type="submit" class="button primary" id="save-settings"
          aria-disabled=${blocked ? "true" : "false"}
          title=${whyNot || blockedWhy(changes, errors)}>
          ${phase ? "Saving…" : "Save Settings"}
        </button>
        ${changes.length || base
          ? html`<button type="button" class="button" @click=${discard}>Discard</button>`
          : nothing}
        <button type="button" class="quiet" @click=${openHistory}>History</button>
      </div>
      <p class="hint" id="settings-state" role="status">
        ${pendingText("settings", "Saving") || versionLine(s)}
      </p>
    </form>
  `;
}

const blockedWhy = (changes, errors) =>
  Object.values(errors)[0] ?? (changes.length ? "" : "Nothing has been changed");

function input(s, field, value, error, doubt) {
  const id = `setting-${field.name}`;
  const today = todayOf(s, field);
  const dirty = field.name in draft && micro(draft[field.name]) !== micro(exactOf(s, field));
  const range = rangeOf(field.name, s.settings.meta?.ranges ?? {});
  const lines = [range, field.note, today].filter(Boolean).join(" · ");
  return html`
    <div class="field ${dirty ? "dirty" : ""}">
      <label for=${id}>${field.label}:</label>
      <span class="affix" data-unit=${field.unit}>
        ${field.unit === "$" ? html`<span aria-hidden="true">$</span>` : nothing}
        <input id=${id} name=${field.name} inputmode=${field.places ? "decimal" : "numeric"}
          autocomplete="off" aria-describedby="${id}-note" aria-invalid=${error ? "true" : "false"}
          .value=${live(value)} @input=${(event) => edit(field, event.target.value)} />
        ${field.unit === "%" ? html`<span aria-hidden="true">%</span>` : nothing}
      </span>
      <span id="${id}-note" class=${error ? "field-error" : "field-note"}>
        ${error ? `✕ ${error}` : lines}
        ${doubt && !error ? html`<br /><span class="warn">▲ ${doubt}</span>` : nothing}
      </span>
    </div>
  `;
}

function todayOf({ stats }, { name }) {
  if (!stats) return "";
  if (name === "max_daily_trades") return `${stats.trades} today`;
  if (name === "max_daily_loss" && stats.detail) return `${cost(stats.detail.loss_used)} today`;
  return "";
}

function edit({ name }, text) {
  base ??= basis(state);
  draft[name] = text;
  delete refusedAt[name];
  touch("settings");
}

function basis(s) {
  const values = Object.fromEntries(FIELDS.map((field) => [field.name, exactOf(s, field)]));
  return { version: s.settings.meta?.version, values };
}

function discard() {
  Object.keys(draft).forEach((name) => delete draft[name]);
  Object.keys(refusedAt).forEach((name) => delete refusedAt[name]);
  base = null;
  touch("settings");
}

function difference(s, changes, values = draft) {
  return html`
    <ul class="difference" aria-label="Not saved yet">
      ${changes.map((field) => {
        const before = withUnit(field, exactOf(s, field));
        const after = isDecimal(values[field.name]) ? withUnit(field, values[field.name]) : "?";
        return html`<li>${field.label} ${before} → <b>${after}</b></li>`;
      })}
    </ul>
  `;
}

/** What somebody else saved since the draft began; nothing where nobody did. */
function conflictNote(s) {
  const meta = s.settings.meta;
  if (!base || !meta || base.version === meta.version) return nothing;
  const theirs = FIELDS.filter(
    (field) => micro(base.values[field.name]) !== micro(exactOf(s, field)),
  );
  return html`
    <div class="conflict" role="alert">
      <p>▲ ${meta.saved_by} saved version ${meta.version} meanwhile:</p>
      <ul class="difference" aria-label="Saved by ${meta.saved_by}">
        ${theirs.map((field) => html`<li>${field.label}
          ${withUnit(field, base.values[field.name])} →
          <b>${withUnit(field, exactOf(s, field))}</b></li>`)}
        ${theirs.length ? nothing : html`<li>none of these limits</li>`}
      </ul>
      <p>Your draft is still here, as the difference from that below. Save it again, or discard it.
      </p>
    </div>
  `;
}

function versionLine(s) {
  const meta = s.settings.meta;
  if (!meta) return "";
  const by = `saved v${meta.version} by ${meta.saved_by} at ${when(meta.saved_at)}`;
  const active = (meta.active ?? []).map((executor) => {
    const behind = executor.version !== meta.version ? ` → v${meta.version} pending` : "";
    const since = whenMs(executor.at);
    return `active in ${executor.executor} v${executor.version}${behind} at ${since}`;
  });
  return [by, ...(active.length ? active : ["not yet active in an executor"])].join(" · ");
}

function submit(event, blocked) {
  event.preventDefault();
  const whyNot = whyNotSend();
  if (whyNot) return toast(whyNot, { severity: "warn" });
  if (blocked) return;
  carefully(draft, "Save", save);
}

/** Do it at once, or after a question where these values loosen limits of real money. */
function carefully(values, label, act) {
  const asked = state.mode === "live" ? loosened(state, values) : [];
  if (!asked.length) return act();
  openDialog({
    title: "Loosen limits with real money",
    body: difference(state, asked, values),
    confirm: { label, act: () => act() },
  });
}

async function save() {
  const sent = Object.fromEntries(
    changed(state).map(({ name }) => [
      name,
      name === "max_daily_trades" ? Number(draft[name]) : draft[name].trim(),
    ]),
  );
  const seen = state.settings.meta?.version;
  // The first save is made from what the draft began with, so that nobody is overwritten unseen.
  const answer = await saveSettings(sent, base?.told ?? base?.version ?? seen);
  if (answer.ok) {
    if (answer.data?.meta) state.settings = answer.data;
    discard();
    return toast(`Saved settings v${state.settings.meta?.version ?? ""}`, { severity: "good" });
  }
  takeRefusal(answer.problem);
}

function takeRefusal(problem) {
  const conflicting = problem.code === "conflict" || problem.status === 412;
  if (conflicting && problem.current) state.settings = problem.current;
  // Its difference is on the page now: the next save is made from it.
  if (conflicting && base) base.told = state.settings.meta?.version;
  for (const { field, message } of problem.errors) refusedAt[field] = message;
  touch("settings");
  const asked = "Not saved: look at what changed meanwhile, then save again";
  toast(conflicting ? asked : problem.detail, { severity: "warn" });
}

async function openHistory() {
  let answer = null;
  const body = () => {
    if (!answer) return html`<p class="muted">Reading…</p>`;
    if (!answer.ok) return html`<p class="warn">▲ ${answer.problem.detail}</p>`;
    return html`<ol class="history">${answer.data.items.map(historyEntry)}</ol>`;
  };
  openDialog({ title: "Settings history", body, wide: true });
  answer = await get("/api/v1/settings/history?limit=50");
  redraw();
}

function historyEntry(entry) {
  const current = entry.version === state.settings.meta?.version;
  return html`
    <li>
      <p><b>v${entry.version}</b> ${when(entry.at)} · ${entry.actor} · ${entry.origin}</p>
      <ul class="difference">
        ${Object.entries(entry.changes).map(([name, [before, after]]) => html`<li>
          ${labelOf(name)} ${plain(before)} → <b>${plain(after)}</b></li>`)}
      </ul>
      ${current
        ? html`<span class="muted">in force</span>`
        : html`<button type="button" class="button small" @click=${() => askToRevert(entry)}>
            Revert to v${entry.version}</button>`}
    </li>
  `;
}

const plain = (value) => (typeof value === "boolean" ? (value ? "on" : "off") : size(value));

function askToRevert({ version, settings }) {
  carefully(settings, `Revert to v${version}`, () => revert(version));
}

async function revert(version) {
  const options = { ifMatch: `"${state.settings.meta.version}"` };
  const answer = await request("POST", "/api/v1/settings/revert", { version }, options);
  if (!answer.ok) return toast(answer.problem.detail, { severity: "warn" });
  if (answer.data) {
    state.settings = answer.data;
    discard();
  }
  closeDialog();
  toast(`Reverted to the values of v${version}`, { severity: "good" });
}
