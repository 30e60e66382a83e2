// Run state, the large toggle, kill and kill + flatten.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { get } from "../api.js";
import {
  command, kill, pendingPhase, pendingText, toggle, whyNotEnter, whyNotSend,
} from "../commands.js";
import { openDialog, redraw } from "../dialog.js";
import { clock, cost, span, usd, when, zone } from "../fmt.js";
import { age } from "../clock.js";
import { state } from "../store.js";
import { toast } from "../toast.js";
import { notFinal } from "./final.js";

// The seed's words: ACTIVE is green, PAUSED is red.
const BADGES = {
  RUNNING: { word: "ACTIVE", icon: "●", name: "active" },
  PAUSED: { word: "PAUSED", icon: "❚❚", name: "paused" },
  HALTED: { word: "HALTED", icon: "■", name: "halted" },
  OFF: { word: "OFF", icon: "○", name: "off" },
};

export function commandBand(s) {
  const run = s.run_state;
  const badge = BADGES[run.state] ?? BADGES.OFF;
  return html`
    <div class="command-state">
      <p id="badge" class="badge badge-${badge.name}" role="status">
        <span aria-hidden="true">${badge.icon}</span> ${badge.word}
      </p>
      <p class="command-why">
        ${s.ready ? whySo(run) : "Waiting for the first word from the server"}
        <br /><span class="muted">Last update
          <time id="last-update">${s.link.lastAt ? clock(s.link.lastAt) : "–"}</time>, times
          in ${zone()}</span>
      </p>
    </div>
    ${bigToggle(s)}
    <div class="command-kill">
      ${killButton()} ${flattenButton()}
    </div>
  `;
}

function whySo(run) {
  const since = run.since ? `since ${when(run.since)}` : "";
  const forHow = run.since ? ` (${span(age(run.since))})` : "";
  const by = run.by ? ` by ${run.by}` : "";
  return html`${since}${forHow}${by}${run.reason ? html`: <b>${run.reason}</b>` : nothing}`;
}

function bigToggle(s) {
  if (s.run_state.state === "HALTED") return resumeButton();
  const target = !s.enabled;
  const phase = pendingPhase("enabled");
  const whyNot = target ? whyNotEnter() : "";
  const doing = s.pending.get("enabled")?.target ? "Enabling" : "Pausing";
  const label = target ? "Enable trading" : "Pause trading";
  return html`
    <div class="command-toggle">
      <button
        type="button"
        id="toggle"
        role="switch"
        class="toggle ${s.enabled ? "on" : "off"}"
        aria-checked=${s.enabled ? "true" : "false"}
        aria-busy=${phase ? "true" : "false"}
        aria-disabled=${whyNot || phase || !s.ready ? "true" : "false"}
        aria-describedby="toggle-why"
        title=${whyNot}
        @click=${() => pressToggle(target, whyNot)}
      >
        <span class="toggle-track" aria-hidden="true"><span class="toggle-thumb"></span></span>
        <span>${phase ? `${doing}…` : label}</span>
      </button>
      <p id="toggle-why" class="hint" role="status">
        ${pendingText("enabled", doing) || whyNot
          || (target ? "No new entries leave." : "Entries may leave at the next gate.")}
      </p>
    </div>
  `;
}

/** Pausing takes one step; enabling takes two, and in live money a hold or the typed word. */
function pressToggle(target, whyNot) {
  if (pendingPhase("enabled") || !state.ready) return;
  if (!target) return toggle(false);
  if (whyNot) return toast(whyNot, { severity: "warn" });
  const { settings, mode, stats } = state;
  const live = mode === "live";
  openDialog({
    title: live ? "Enable trading with real money" : `Enable trading (${mode})`,
    body: html`
      <p>From the next gate on, every opportunity within these limits is bought:</p>
      <dl class="facts">
        <dt>Per trade</dt><dd>${usd(settings.min_bet)} to ${cost(settings.max_bet)}, both legs</dd>
        <dt>Trades left today</dt>
        <dd>${settings.max_daily_trades - stats.trades} of ${settings.max_daily_trades}</dd>
        <dt>Most that today may lose</dt><dd>${cost(settings.max_daily_loss)}</dd>
      </dl>
      ${live ? html`<p class="hint">Trading may be restricted where you live; the venues' terms
        apply to you.</p>` : nothing}
    `,
    confirm: {
      label: "Enable",
      hold: live ? 1200 : undefined,
      word: live ? "LIVE" : undefined,
      whyNot: whyNotEnter,
      act: () => toggle(true, live ? "LIVE" : undefined),
    },
  });
}

function resumeButton() {
  const whyNot = whyNotSend();
  return html`
    <div class="command-toggle">
      <button type="button" id="resume" class="button big" title=${whyNot}
        aria-disabled=${whyNot ? "true" : "false"} @click=${() => openResume(whyNot)}>
        ${pendingPhase("resume") ? "Resuming…" : "Resume from halt…"}
      </button>
      <p class="hint" role="status">Entries are stopped until a person resumes.</p>
    </div>
  `;
}

function openResume(whyNot) {
  if (whyNot) return toast(whyNot, { severity: "warn" });
  const { run_state: run, stats, unhedged } = state;
  openDialog({
    title: "Resume from halt",
    body: html`
      <dl class="facts">
        <dt>Halted because</dt><dd>${run.reason || "not said"}</dd>
        <dt>By</dt><dd>${run.by ?? "–"}, ${when(run.since)}</dd>
        <dt>Today's net</dt><dd>${usd(stats.detail?.pnl ?? stats.pnl, { sign: true })}
          ${notFinal(stats.detail?.guaranteed)}</dd>
        <dt>Unhedged now</dt><dd>${cost(unhedged.usd)}</dd>
      </dl>
      <p>Afterwards trading is ${state.enabled ? "enabled: entries may leave" : "paused"}. Limits
        stay as they are, and nothing that is open is touched.</p>
    `,
    confirm: {
      label: "Resume",
      hold: 1200,
      word: "RESUME",
      act: () => command("resume", "/api/v1/executor/resume", { confirm: "RESUME" }),
    },
  });
}

function killButton() {
  const pending = pendingPhase("kill");
  return html`
    <button type="button" id="kill" class="button danger" data-hold="600"
      aria-busy=${pending ? "true" : "false"} aria-describedby="kill-why"
      @held=${() => kill(false)} @explain=${explainKill}>
      <span class="ring" aria-hidden="true"></span>${pending ? "Killing…" : "Kill"}
    </button>
    <span id="kill-why" class="hidden">Hold for 0.6 seconds. Stops all new entries.</span>
  `;
}

function explainKill() {
  openDialog({
    title: "Kill: stop all entries",
    body: html`
      <p><b>Nothing has happened yet.</b> Hold the Kill button for 0.6 s, or Shift+K.</p>
      <ul>
        <li>No new entry leaves, now and after a restart. An entry whose other leg left a moment
          ago may follow it: that hedges it.</li>
        <li>No order waits at a venue to be cancelled: each fills at once or not at all.</li>
        <li>Compensation that is running finishes: no leg is left alone.</li>
        <li>It does <b>not</b> close the ${state.positions.size} open positions.</li>
      </ul>
    `,
    confirm: { label: "Kill", danger: true, hold: 600, word: "KILL", act: () => kill(false) },
  });
}

function flattenButton() {
  const pending = pendingPhase("flatten");
  return html`
    <button type="button" id="flatten" class="button danger outline" data-hold="1200"
      aria-busy=${pending ? "true" : "false"} aria-describedby="flatten-why"
      @held=${() => kill(true)} @explain=${explainFlatten}>
      <span class="ring" aria-hidden="true"></span>${pending ? "Flattening…" : "Kill + flatten"}
    </button>
    <span id="flatten-why" class="hidden">Hold for 1.2 seconds. Stops entries and sells all.</span>
  `;
}

function explainFlatten() {
  let preview = null;
  get("/api/v1/executor/flatten/preview").then((answer) => {
    preview = answer;
    redraw();
  });
  openDialog({
    title: "Kill and flatten: sell everything",
    body: () => html`
      <p><b>Nothing has happened yet.</b> Hold Kill + flatten for 1.2 s, or type the word.</p>
      ${flattenFacts(preview)}
    `,
    confirm: { label: "Flatten", danger: true, hold: 1200, word: "FLATTEN", act: () => kill(true) },
  });
}

function flattenFacts(preview) {
  if (!preview) return html`<p class="muted">Asking what it would cost…</p>`;
  if (!preview.ok) return html`<p class="warn">▲ No preview: ${preview.problem.detail}</p>`;
  const facts = preview.data;
  return html`
    <dl class="facts">
      <dt>Positions to sell</dt><dd>${facts.positions}</dd>
      <dt>Expected proceeds</dt><dd>${usd(facts.proceeds)}</dd>
      <dt>Expected result</dt><dd>${usd(facts.result, { sign: true })}</dd>
      <dt>If held instead, at least</dt><dd>${usd(facts.hold_at_least, { sign: true })}</dd>
    </dl>
  `;
}

/** Bottom bar of small screens: state, pause, kill. */
export function thumbBar(s) {
  const badge = BADGES[s.run_state.state] ?? BADGES.OFF;
  return html`
    <span class="badge small badge-${badge.name}">
      <span aria-hidden="true">${badge.icon}</span> ${badge.word}
    </span>
    <button type="button" class="button" aria-disabled=${s.enabled ? "false" : "true"}
      title=${s.enabled ? "" : "Already paused"}
      @click=${() => (s.enabled ? toggle(false) : toast("Already paused"))}>
      ${pendingPhase("enabled") ? "Pausing…" : "Pause"}
    </button>
    <button type="button" class="button danger" data-hold="600" aria-label="Kill, hold 0.6 seconds"
      @held=${() => kill(false)} @explain=${explainKill}>
      <span class="ring" aria-hidden="true"></span>Kill
    </button>
  `;
}
