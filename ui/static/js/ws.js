// The socket: connect, resume, notice silence, back off, and poll while it is away.

import { get } from "./api.js";
import { learn } from "./clock.js";
import { apply, onMessage, state, touch } from "./store.js";

const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 15_000;
const SILENCE_MS = 12_000;
const POLL_MS = 2_000;
const RESTART = 1012;
const LOGIN = 4401;

const lossHooks = [];
let socket = null;
let topics = [];
let retry = null;
let polling = null;

/** Connect for the slices of these topics and stay connected. */
export function start(wanted) {
  topics = wanted;
  onMessage(({ ts, type }) => {
    if (ts) learn(ts);
    if (type !== "error") heard();
  });
  window.addEventListener("online", tryNow);
  setInterval(watchSilence, 1000);
  open();
}

/** Call `hook()` once nothing more will be heard on the socket that was sent to. */
export const onLost = (hook) => lossHooks.push(hook);

/** Send an action; false where the socket is not open. */
export function send(message) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(message));
  return true;
}

/** Do not wait for the next attempt. */
export function tryNow() {
  if (["open", "login"].includes(state.link.phase)) return;
  clearTimeout(retry);
  open();
}

function link(change) {
  Object.assign(state.link, change);
  touch("link");
}

function heard() {
  state.link.lastAt = Date.now();
  touch("link");
}

/** Leave the socket, if there is one: what was asked on it is answered by nobody. */
function forsake() {
  socket?.close();
  socket = null;
  lossHooks.forEach((hook) => hook());
}

function open() {
  forsake();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = new WebSocket(`${scheme}://${location.host}/ws/executor?hello=1`);
  socket = mine;
  mine.addEventListener("open", () => {
    send({ action: "hello", topics, stream: state.stream, last_seq: state.seq });
  });
  mine.addEventListener("message", ({ data }) => mine === socket && take(data));
  mine.addEventListener("close", (event) => mine === socket && closed(event));
}

function take(text) {
  const message = JSON.parse(text);
  if (["init", "resume"].includes(message.type)) {
    stopPolling();
    link({ phase: "open", attempt: 0, nextAt: null, reason: "" });
  }
  if (message.type === "bye") link({ reason: message.data?.reason ?? "" });
  apply(message);
}

function closed({ code, reason }) {
  forsake();
  if (code === LOGIN) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    return link({ phase: "login", reason: "Login needed" });
  }
  const attempt = state.link.attempt + 1;
  const ceiling = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** (attempt - 1));
  const wait = code === RESTART ? BACKOFF_MS : ceiling * (0.5 + Math.random() / 2);
  const phase = polling ? "polling" : "waiting";
  link({ phase, attempt, nextAt: Date.now() + wait, reason: reason || state.link.reason });
  clearTimeout(retry);
  retry = setTimeout(open, wait);
  if (attempt >= 2) startPolling();
}

function watchSilence() {
  const silent = Date.now() - (state.link.lastAt ?? Date.now()) > SILENCE_MS;
  if (silent && state.link.phase === "open" && socket) {
    closed({ code: 1006, reason: `Nothing heard for ${SILENCE_MS / 1000} s` });
  }
}

function startPolling() {
  if (polling) return;
  polling = setInterval(poll, POLL_MS);
  poll();
}

function stopPolling() {
  clearInterval(polling);
  polling = null;
}

async function poll() {
  const answer = await get(`/api/v1/snapshot?topics=${topics.join(",")}`);
  if (!polling) return;
  if (answer.ok) {
    link({ phase: "polling" });
    apply({ ...answer.data, seq: 0 });
  } else if (state.link.phase === "polling") {
    link({ phase: "waiting" });
  }
}
