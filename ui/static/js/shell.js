// What both pages share: tools in the top bar, connection banner, title, favicon, keys, help.

import { html, nothing, render } from "../vendor/lit-html-3.3.3/lit-html.js";
import { onTick, skew } from "./clock.js";
import { bell, openActivity } from "./bell.js";
import * as commands from "./commands.js";
import { kill, toggle } from "./commands.js";
import { openDialog } from "./dialog.js";
import { plus, span, usd } from "./fmt.js";
import { begin, installHold, release } from "./hold.js";
import { bind, bindings, installKeys, moveFocus } from "./keys.js";
import * as prefs from "./prefs.js";
import { play, setSound, soundOn } from "./sound.js";
import { onMessage, state, touch, view } from "./store.js";
import { toast } from "./toast.js";
import { start as connect, tryNow } from "./ws.js";

const STALE_MS = 10_000;
const FILLS_MERGED = 3;
const FILLS_WINDOW_MS = 10_000;
const SKEW_SHOWN_MS = 2_000;

/** Start everything that a page with a socket needs. */
export function startShell(topics) {
  installHold();
  installKeys();
  commands.start();
  commonKeys();
  view(document.getElementById("tools"), ["link", "notices", "clock", "events", "bell"], tools);
  view(document.getElementById("banner"), ["link", "notices", "services", "clock"], banner);
  onTick(tick);
  onMessage(announce);
  document.addEventListener("refused", (event) => {
    toast(event.target.title || "Not possible now", { severity: "warn" });
  });
  connect(topics);
}

/** How old what the page shows is: live, delayed, stale or down. */
export function linkAge() {
  const { phase, lastAt } = state.link;
  if (phase === "login") return "down";
  if (!lastAt) return "connecting";
  const age = Date.now() - lastAt;
  if (phase === "polling") return "polling";
  if (age > STALE_MS) return "stale";
  return phase === "open" && age < 7_000 ? "live" : "delayed";
}

let wasLive = false;

/** A page that is behind looks behind; losing the stream is heard once. */
function showAge() {
  const age = linkAge();
  if (document.body.dataset.link !== age) document.body.dataset.link = age;
  const live = age === "live";
  if (wasLive && ["stale", "down"].includes(age)) play("disconnect");
  if (live || age === "stale" || age === "down") wasLive = live;
}

function tick() {
  touch("clock", "link");
  showAge();
  document.title = title();
  drawIcon();
}

function title() {
  const page = document.documentElement.dataset.page === "executor" ? "Executor" : "Opportunities";
  if (!state.ready) return `${page} · Lockstep`;
  const { detail, pnl } = state.stats ?? {};
  // Of what is not final it is the least that comes.
  const least = detail?.guaranteed?.trades ? "≥ " : "";
  const profit = state.stats ? `${least}${usd(detail?.pnl ?? pnl, { sign: true })}` : "";
  const mark = { RUNNING: "●", PAUSED: "❚❚", HALTED: "■", OFF: "○" }[state.run_state.state];
  const count = state.positions.size ? ` (${state.positions.size})` : "";
  return `${mark} ${state.mode.toUpperCase()} ${profit}${count} · ${page}`;
}

const ICON_COLOURS = { RUNNING: "#3ddc97", PAUSED: "#f2b84b", HALTED: "#ff7b72", OFF: "#9aa7b5" };
let iconDrawn = "";

function drawIcon() {
  const name = linkAge() === "stale" ? "OFF" : state.run_state.state;
  if (!state.ready || name === iconDrawn) return;
  iconDrawn = name;
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">' +
    '<rect width="24" height="24" rx="5" fill="#10151c"/>' +
    `<circle cx="12" cy="12" r="6" fill="${ICON_COLOURS[name]}"/></svg>`;
  document.getElementById("icon").href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function tools() {
  const age = linkAge();
  const words = { live: "Live", delayed: "Delayed", stale: "Stale", down: "Down" };
  const word = words[age] ?? (age === "polling" ? "Polling" : "Connecting");
  return html`
    <span class="chip link-${age}" role="status">
      <span class="dot" aria-hidden="true"></span>${word}
    </span>
    ${bell()}
    <button type="button" class="quiet" @click=${preferences}>Display</button>
    <button type="button" class="quiet" aria-label="Keyboard help" @click=${help}>?</button>
  `;
}

function banner() {
  const { phase, attempt, nextAt, lastAt, reason } = state.link;
  const old = lastAt ? `Data is ${span(Date.now() - lastAt)} old.` : "No data yet.";
  const notices = [...state.notices.values()];
  return html`
    ${phase === "waiting" ? waiting(attempt, nextAt, old, reason) : nothing}
    ${phase === "polling"
      ? html`<p class="banner banner-warn" role="status">
          ▲ The live stream is down: asking every 2 s instead. ${retryButton()}
        </p>`
      : nothing}
    ${state.ready && state.services.executor?.state === "down"
      ? html`<p class="banner banner-down" role="alert">✖ The executor is not running: trades wait
          in Temporal and nothing new starts. Start it with
          <code>lockstep run executor</code>. What is shown comes from the journal.</p>`
      : nothing}
    ${Math.abs(skew()) > SKEW_SHOWN_MS
      ? html`<p class="banner banner-warn">▲ This device's clock differs from the server's by
          ${span(Math.abs(skew()))}; ages are shown by the server's clock.</p>`
      : nothing}
    ${notices.map((n) => html`<p class="banner banner-${n.severity}" role="status">${n.text}</p>`)}
  `;
}

function waiting(attempt, nextAt, old, reason) {
  const next = Math.max(0, Math.ceil((nextAt - Date.now()) / 1000));
  const when = next ? `next try in ${next} s` : "trying now";
  return html`
    <p class="banner banner-down" role="status">
      ✖ Disconnected${reason ? ` (${reason})` : ""}: attempt ${attempt}, ${when}. ${old}
      ${retryButton()}
    </p>
  `;
}

const retryButton = () =>
  html`<button type="button" class="button small" @click=${tryNow}>Try now</button>`;

let fills = [];

function announce({ type, data }) {
  showAge();
  if (type === "event" && data.severity === "critical") {
    const wants = data.wants ? ` ➡ ${data.wants}` : "";
    toast(`${data.text}${wants}`, { severity: "critical" });
    play("unhedged");
  }
  if (type !== "trade_event") return;
  if (data.status === "ROLLED_BACK") play("rollback");
  if (data.status !== "SUCCESS") return;
  play("fill");
  const now = Date.now();
  fills = [...fills.filter((fill) => now - fill.at < FILLS_WINDOW_MS), { at: now, data }];
  const gain = ({ exact, pnl }) => exact?.pnl ?? pnl;
  const told = fills.length > FILLS_MERGED ? fills : fills.slice(-1);
  const total = told.reduce((sum, fill) => plus(sum, gain(fill.data)), "0");
  const waits = told.some((fill) => fill.data.final === false) ? " guaranteed" : "";
  const said = `${usd(total, { sign: true })}${waits}`;
  if (told.length === 1) return toast(`${data.event} ${said}`, { severity: "good" });
  toast(`${told.length} filled in the last 10 s, ${said}`, { severity: "good", key: "fills" });
}

/** Pause at once; toggling back needs the ordinary way. */
export function pause() {
  if (!state.enabled) return toast("Already paused");
  toggle(false);
}

function commonKeys() {
  bind("p", "Pause: no new entries", pause);
  bind("j", "Next row", () => moveFocus(1));
  bind("k", "Previous row", () => moveFocus(-1));
  bind("t", "Next theme", () => toast(`Theme: ${prefs.nextTheme()}`));
  bind("a", "Activity: what happened and who did it", openActivity);
  bind("?", "This help", help);
  bind("g e", "Executor page", () => location.assign("/executor"));
  bind("g i", "Opportunities page", () => location.assign("/"));
  bind("Escape", "Leave the row", () => document.activeElement?.blur());
  const killer = document.createElement("span");
  killer.dataset.hold = "600";
  killer.addEventListener("held", () => kill(false));
  killer.addEventListener("explain", () => toast("Hold Shift+K for 0.6 s to kill"));
  bind("K", "Hold 0.6 s: kill, stop all entries", () => begin(killer, "Shift+K"));
  document.addEventListener("keyup", ({ key }) => {
    if (["K", "k", "Shift"].includes(key)) release("Shift+K");
  });
}

function help() {
  let wanted = "";
  const rows = () => bindings().filter((b) => `${b.key} ${b.says}`.toLowerCase().includes(wanted));
  const root = document.createElement("div");
  const draw = () =>
    render(
      html`<label class="field"><span>Filter</span><input type="search" @input=${(event) => {
          wanted = event.target.value.toLowerCase();
          draw();
        }} /></label>
        <table class="plain"><tbody>
          ${rows().map((b) => html`<tr><th><kbd>${b.key}</kbd></th><td>${b.says}</td></tr>`)}
        </tbody></table>
        <p class="hint">Single keys can be turned off under Display.</p>`,
      root,
    );
  draw();
  openDialog({ title: "Keys", body: root });
}

function preferences() {
  const choice = (name, values, current, act) => html`
    <fieldset class="choice"><legend>${name}</legend>
      ${values.map(
        ([value, label]) => html`<label><input type="radio" name=${name} value=${value}
          .checked=${value === current} @change=${() => act(value)} />
          <span>${label}</span></label>`,
      )}
    </fieldset>
  `;
  const onOff = [["on", "On"], ["off", "Off"]];
  openDialog({
    title: "Display",
    body: html`
      ${choice("Theme", prefs.THEMES.map((name) => [name, name]), prefs.theme(), prefs.setTheme)}
      ${choice("Gains are", [["green-up", "green"], ["red-up", "red"]], prefs.updown(),
        prefs.setUpdown)}
      ${choice("Single keys", onOff, prefs.singleKeys() ? "on" : "off",
        (value) => prefs.setSingleKeys(value === "on"))}
      ${choice("Sound", onOff, soundOn() ? "on" : "off", (value) => setSound(value === "on"))}
    `,
  });
}
