// What a person asks the executor to do. A value on the page changes only on the server's word.

import { commandKey, post, request } from "./api.js";
import { age } from "./clock.js";
import { span } from "./fmt.js";
import { onMessage, state, touch } from "./store.js";
import { toast } from "./toast.js";
import { onLost, send } from "./ws.js";

const WAITING_MS = 2_000;
const UNKNOWN_MS = 10_000;
const STALE_MS = 10_000;
const VENUES = { polymarket: "Polymarket", kalshi: "Kalshi" };

// Nothing failed and nothing held as far as anybody knows; the state that follows tells.
const UNKNOWN = {
  title: "No answer",
  code: "unconfirmed",
  detail: "No answer came: it may or may not hold. Look at the state before you ask again.",
  errors: [],
};

// What was asked on the socket and has not been answered, by ref.
const answers = new Map();

/** Start to watch for messages that settle what is pending. */
export function start() {
  onLost(() => {
    for (const ref of [...answers.keys()]) answered(ref, { ok: false, problem: UNKNOWN });
  });
  onMessage((message) => {
    settleToggle();
    if (message.type === "error") refused(message);
    const { ref } = message.data ?? {};
    if (ref && answers.has(ref)) answered(ref, { ok: true, data: message.data });
  });
}

/** How long something is pending: "", "sending", "waiting" (2 s) or "unknown" (10 s). */
export function pendingPhase(key) {
  const pending = state.pending.get(key);
  if (!pending) return "";
  const waited = Date.now() - pending.since;
  return waited > UNKNOWN_MS ? "unknown" : waited > WAITING_MS ? "waiting" : "sending";
}

// Where to look while nobody answers: only a close has a workflow.
const LOOK = {
  enabled: "the badge says what holds; ask again only if it does not change",
  settings: "look at the History before you save again",
  close: "look at its workflow in Temporal before you ask again",
};

/** Text beside a pending control; keys are "enabled", "settings" and "close:ID". */
export function pendingText(key, doing) {
  const texts = {
    sending: `${doing}…`,
    waiting: `${doing}… still waiting for the executor`,
    unknown: `${doing}: no answer yet; ${LOOK[key.split(":")[0]]}`,
  };
  return texts[pendingPhase(key)] ?? "";
}

/** Why entries cannot be allowed right now; "" where they can. */
export function whyNotEnter() {
  const offline = whyNotSend();
  if (offline) return offline;
  if (state.run_state.state === "HALTED") return "Halted: resume first";
  for (const [venue, name] of Object.entries(VENUES)) {
    const feed = state.venues[venue];
    if (!feed) continue;
    if (feed.state === "down") return `${name} is down: ${feed.detail || "no connection"}`;
    const old = age(feed.book_at);
    if (old > STALE_MS) return `${name} book is ${span(old)} old`;
  }
  return "";
}

/** Why nothing can be asked of the executor right now; "" where it can. */
export function whyNotSend() {
  if (!["open", "polling"].includes(state.link.phase)) return "No connection to the server";
  if (state.services.executor?.state === "down") return "The executor is not running";
  return "";
}

/** Enable or pause. `confirm` is the typed or held word that live money needs. */
export async function toggle(value, confirm) {
  begin("enabled", { target: value });
  const word = confirm ? { confirm } : {};
  const answer = await ask({ action: "toggle_enabled", value, ...word }, async () => {
    const told = await request("PUT", "/api/v1/executor/enabled", { value, ...word });
    if (told.ok) takeStatus(told.data);
    return told;
  });
  end("enabled");
  if (!answer.ok) toast(answer.problem.detail, { severity: "warn" });
}

/** Save settings as the version after `version`. Resolves to { ok, data, problem }. */
export async function saveSettings(settings, version) {
  begin("settings", {});
  const message = { action: "update_settings", settings, expected_version: version };
  const options = { ifMatch: `"${version}"` };
  const rest = () => request("PATCH", "/api/v1/settings", settings, options);
  const answer = await ask(message, rest);
  end("settings");
  return answer;
}

/** Sell both legs of a position. `bounds` are `loss_max`, what the sales may lose (null: any), and
 *  `limits`, their lowest prices by venue. */
export async function closePosition(id, bounds) {
  begin(`close:${id}`, {});
  const message = { action: "close_position", position_id: id, ...bounds };
  const path = `/api/v1/positions/${encodeURIComponent(id)}/close`;
  const answer = await ask(message, () => post(path, bounds));
  // Once it is accepted, the row's own phase says how far it is and whether another may follow.
  end(`close:${id}`);
  return answer;
}

/** Whether nobody knows what became of a command. */
export const isUnknown = ({ problem, status }) =>
  problem.code === UNKNOWN.code || status === 0 || status === 504;

/** Any other command by REST, shown as pending under `key`. */
export async function command(key, path, body) {
  begin(key, {});
  const answer = await post(path, body);
  end(key);
  if (!answer.ok) toast(`${answer.problem.title}: ${answer.problem.detail}`, { severity: "warn" });
  return answer;
}

/** Stop all entries now; with `flatten` also sell everything. */
export async function kill(flatten) {
  const key = flatten ? "flatten" : "kill";
  const body = flatten ? { flatten, confirm: "FLATTEN" } : { flatten };
  const answer = await command(key, "/api/v1/executor/kill", body);
  if (answer.ok) toast(answer.data?.text ?? "Killed", { severity: "critical" });
  return answer;
}

function begin(key, detail) {
  state.pending.set(key, { since: Date.now(), ...detail });
  touch("pending");
}

function end(key) {
  state.pending.delete(key);
  touch("pending");
}

/** The answer to a message on the socket, or of `rest()` where the socket is not open. */
function ask(message, rest) {
  const ref = commandKey();
  if (!send({ ...message, ref })) return rest();
  return new Promise((resolve) => answers.set(ref, resolve));
}

function answered(ref, answer) {
  const resolve = answers.get(ref);
  answers.delete(ref);
  resolve?.(answer);
}

function refused({ ref, message, field, code, current }) {
  const errors = field ? [{ field, message }] : [];
  const problem = { title: code ?? "Refused", detail: message, errors, current, code };
  if (answers.has(ref)) answered(ref, { ok: false, problem });
  else toast(field ? `${field}: ${message}` : message, { severity: "warn" });
}

function settleToggle() {
  const pending = state.pending.get("enabled");
  if (pending && pending.target === state.enabled) end("enabled");
}

function takeStatus(data) {
  if (!data) return;
  state.enabled = data.enabled;
  if (data.run_state) state.run_state = data.run_state;
  touch("enabled", "run_state");
  settleToggle();
}
