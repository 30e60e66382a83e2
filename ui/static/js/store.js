// One state, changed only by messages of docs/socket.md, drawn at most once per frame.

import { render } from "../vendor/lit-html-3.3.3/lit-html.js";

const COLLECTIONS = ["positions", "trades", "cards", "alarms"];
const STREAMED = new Set(["cards"]);
const STREAMED_MS = 100;
const EVENTS_MAX = 200;
const TRADES_MAX = 2000;

export const state = {
  ready: false,
  stream: null,
  seq: 0,
  mode: document.documentElement.dataset.mode,
  run_state: { state: "OFF" },
  enabled: false,
  settings: null,
  balances: null,
  stats: null,
  unhedged: { usd: "0", legs: [] },
  venues: {},
  services: {},
  scanner: null,
  funnel: null,
  links: {},
  events: [],
  notices: new Map(),
  positions: new Map(),
  trades: new Map(),
  cards: new Map(),
  alarms: new Map(),
  link: { phase: "connecting", attempt: 0, lastAt: null, nextAt: null, reason: "" },
  pending: new Map(),
};

const views = [];
const dirty = new Set();
const hooks = [];
const streamedAt = new Map();
let scheduled = false;

/** Draw `template(state)` into `root` whenever one of `slices` changed. */
export function view(root, slices, template) {
  if (!root) return;
  views.push({ root, slices, template });
  touch(...slices);
}

/** Call `hook(message)` after a message was taken. */
export const onMessage = (hook) => hooks.push(hook);

/** Say that slices changed; they are drawn with the next frame. */
export function touch(...slices) {
  slices.forEach((slice) => dirty.add(slice));
  if (scheduled) return;
  scheduled = true;
  // A hidden page gets no frames, yet its title must stay true.
  if (document.hidden) setTimeout(flush, 250);
  else requestAnimationFrame(flush);
}

/** A message changed a slice. What streams is drawn ten times a second: nobody reads faster, and
 * every drawing of 500 cards takes frames from whoever scrolls or types. */
function told(slice) {
  if (!STREAMED.has(slice)) return touch(slice);
  const now = performance.now();
  const last = streamedAt.get(slice) ?? -STREAMED_MS;
  if (last > now) return; // it is about to be drawn
  const due = Math.max(now, last + STREAMED_MS);
  streamedAt.set(slice, due);
  if (due > now) setTimeout(touch, due - now, slice);
  else touch(slice);
}

function flush() {
  scheduled = false;
  const changed = new Set(dirty);
  dirty.clear();
  for (const { root, slices, template } of views) {
    if (slices.some((slice) => changed.has(slice))) render(template(state), root);
  }
}

const TAKE = {
  init: (data) => {
    state.ready = true;
    COLLECTIONS.forEach((name) => data[name] && state[name].clear());
    replace(data);
  },
  // Each trade since was told by an event: those that are here stay, and the cursor behind them.
  snapshot: (data) => {
    COLLECTIONS.forEach((name) => data[name] && name !== "trades" && state[name].clear());
    const { trades_next: _, ...rest } = data;
    replace("trades_next" in state ? rest : data);
  },
  patch: (data) => {
    for (const [slice, change] of Object.entries(data)) {
      if (COLLECTIONS.includes(slice)) merge(slice, change.upsert ?? [], change.remove ?? []);
      else state[slice] = change === null ? null : { ...state[slice], ...change };
      told(slice);
    }
  },
  balance_update: (data) => set("balances", { ...state.balances, ...data }),
  trade_event: (data) => {
    merge("trades", [data]);
    touch("trades");
  },
  position_opened: (data) => {
    merge("positions", [data]);
    touch("positions");
  },
  position_closed: (data) => {
    merge("positions", [], [data.id]);
    touch("positions");
  },
  settings_changed: (data) => {
    set("settings", data);
    if ("enabled" in data) set("enabled", data.enabled);
  },
  status_changed: (data) => {
    set("enabled", data.enabled);
    if (data.run_state) set("run_state", data.run_state);
  },
  event: (data) => set("events", [data, ...state.events].slice(0, EVENTS_MAX)),
  notice: (data) => {
    if (data.cleared) state.notices.delete(data.id);
    else state.notices.set(data.id, data);
    touch("notices");
  },
};

/** Take one message of the server; unknown types change nothing. */
export function apply(message) {
  TAKE[message.type]?.(message.data ?? {});
  if (message.seq) state.seq = message.seq;
  hooks.forEach((hook) => hook(message));
}

function replace(data) {
  for (const [slice, value] of Object.entries(data)) {
    if (COLLECTIONS.includes(slice)) merge(slice, value);
    else if (slice === "notices") state.notices = new Map(value.map((n) => [n.id, n]));
    else state[slice] = value;
    touch(slice);
  }
}

function set(slice, value) {
  state[slice] = value;
  touch(slice);
}

function merge(name, upsert, remove = []) {
  const rows = state[name];
  remove.forEach((id) => rows.delete(id));
  for (const row of upsert) rows.set(row.id, { ...rows.get(row.id), ...row });
  if (name === "trades" && rows.size > TRADES_MAX) {
    const oldest = [...rows.values()].sort(newestFirst).slice(TRADES_MAX);
    oldest.forEach((row) => rows.delete(row.id));
  }
}

/** Order of the trade log. */
export const newestFirst = (a, b) =>
  b.timestamp < a.timestamp ? -1 : b.timestamp > a.timestamp ? 1 : a.id < b.id ? 1 : -1;
