// What this browser remembers: theme, direction of colours, single keys, sound.

const PREFIX = "lockstep.";

/** A remembered text, or the default where storage is empty or forbidden. */
export function recall(name, otherwise) {
  try {
    return localStorage.getItem(PREFIX + name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

const kind = (value) => (Array.isArray(value) ? "list" : value === null ? "null" : typeof value);

/** A remembered JSON value; the default where it is damaged or of another kind. */
export function recallJson(name, otherwise) {
  try {
    const value = JSON.parse(recall(name, "null"));
    return kind(value) === kind(otherwise) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/** Remember a text; where storage is forbidden it lasts as long as the page. */
export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    return false;
  }
  return true;
}

export const THEMES = ["auto", "dark", "light", "colour-blind"];

export const theme = () => document.documentElement.dataset.theme;

export function setTheme(name) {
  document.documentElement.dataset.theme = name;
  remember("theme", name);
  document.dispatchEvent(new CustomEvent("themechange"));
}

/** The next theme in turn; returns its name. */
export function nextTheme() {
  const name = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
  setTheme(name);
  return name;
}

export const updown = () => document.documentElement.dataset.updown;

export function setUpdown(name) {
  document.documentElement.dataset.updown = name;
  remember("updown", name);
}

export const singleKeys = () => recall("keys", "on") === "on";
export const setSingleKeys = (on) => remember("keys", on ? "on" : "off");
