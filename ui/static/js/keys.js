// Single keys. Ignored while typing, in dialogs, and when a person has turned them off.

import { dialogOpen } from "./dialog.js";
import { singleKeys } from "./prefs.js";

const keys = new Map();
let prefix = "";
let prefixAt = 0;
const PREFIX_MS = 1_500;

/** Bind a key ("/", "p", "g e") to an act; `says` is its line in the help. */
export function bind(key, says, act) {
  keys.set(key, { key, says, act });
}

export const bindings = () => [...keys.values()];

export function installKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (!singleKeys() || dialogOpen() || typing(event.target)) return;
    const follows = prefix && Date.now() - prefixAt < PREFIX_MS;
    const typed = follows ? `${prefix} ${event.key}` : event.key;
    prefix = "";
    const bound = keys.get(typed);
    if (bound) {
      event.preventDefault();
      bound.act(event);
    } else if ([...keys.keys()].some((key) => key.startsWith(`${typed} `))) {
      prefix = typed;
      prefixAt = Date.now();
    }
  });
}

/** Whether the element takes text. */
export function typing(element) {
  const tag = element.tagName;
  if (tag === "TEXTAREA" || tag === "SELECT" || element.isContentEditable) return true;
  return tag === "INPUT" && !["checkbox", "radio", "button"].includes(element.type);
}

/** Move focus among `[data-row]` elements by one. */
export function moveFocus(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest?.("[data-row]"));
  const next = at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step));
  rows[next].focus();
  rows[next].scrollIntoView({ block: "nearest" });
}
