// Exact decimal text in, text for a reader out. Money is never computed as a binary number.

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?$/;
const MICRO = 1_000_000n;

/** Micro-units of a decimal string (or of one of the seed's plain numbers), rounded down.
 *  null where it is no number. */
export function micro(value) {
  const text = typeof value === "number" ? value.toFixed(6) : String(value ?? "").trim();
  const parts = DECIMAL.exec(text);
  if (!parts) return null;
  const [, sign, whole, fraction = ""] = parts;
  const size = BigInt(whole) * MICRO + BigInt(fraction.slice(0, 6).padEnd(6, "0"));
  const lost = /[1-9]/.test(fraction.slice(6));
  return sign === "-" ? -size - (lost ? 1n : 0n) : size;
}

/** Whether the text is a decimal with at most six places: what the server accepts. */
export function isDecimal(text) {
  return /^\d{1,11}(\.\d{1,6})?$/.test(String(text).trim());
}

/** Whether the text is a price of a contract: between 0 and 1 dollar, neither of them. */
export const isPrice = (text) => isDecimal(text) && micro(text) > 0n && micro(text) < MICRO;

/** The same amount with the other sign. */
const negated = (value) => {
  if (typeof value === "number") return -value;
  const text = String(value ?? "").trim();
  return text.startsWith("-") ? text.slice(1) : `-${text.replace("+", "")}`;
};

/** Digits with a fixed number of places, rounded down: right for what we have, get or keep. */
export function digits(value, places = 2) {
  const units = micro(value);
  if (units === null) return "–";
  const step = 10n ** BigInt(6 - places);
  return printed(units >= 0n ? units / step : -((-units + step - 1n) / step), places);
}

function printed(units, places) {
  const text = (units < 0n ? -units : units).toString().padStart(places + 1, "0");
  const whole = text.slice(0, text.length - places).replace(/\B(?=(\d{3})+$)/g, ",");
  const tail = places ? `.${text.slice(-places)}` : "";
  return `${units < 0n ? "-" : ""}${whole}${tail}`;
}

/** Dollars that we have, get or keep, rounded down so that nothing looks better than it is:
 *  "$5.00", "-$0.80"; with `sign` also "+$0.12". */
export function usd(value, { sign = false, places = 2 } = {}) {
  const text = digits(value, places);
  if (text === "–") return text;
  const negative = text.startsWith("-");
  const plus = sign && signOf(value) > 0 ? "+" : "";
  return `${negative ? "-" : plus}$${text.replace("-", "")}`;
}

/** Dollars that something costs or may lose, rounded up so that nothing looks cheaper than it is:
 *  a fee of 0.0399 is "$0.04". */
export function cost(value, { places = 2 } = {}) {
  const text = digits(negated(value), places);
  if (text === "–") return text;
  if (text.startsWith("-")) return `$${text.slice(1)}`;
  return /[1-9]/.test(text) ? `-$${text}` : `$${text}`;
}

/** Percent: "2.4%". */
export function pct(value, { sign = false, places = 1 } = {}) {
  const text = digits(value, places);
  if (text === "–") return text;
  return `${sign && !text.startsWith("-") ? "+" : ""}${text}%`;
}

/** A price in dollars per contract: at least two places, at most four. */
export function price(value) {
  const text = digits(value, 4);
  return text === "–" ? text : text.replace(/0{1,2}$/, "");
}

/** A size in contracts without trailing zeros. */
export function size(value) {
  const text = digits(value, 6);
  return text === "–" ? text : text.replace(/\.?0+$/, "");
}

/** The exact sum of two amounts, as a decimal string. */
export function plus(one, other) {
  const total = (micro(one) ?? 0n) + (micro(other) ?? 0n);
  const size = total < 0n ? -total : total;
  const fraction = String(size % MICRO).padStart(6, "0");
  return `${total < 0n ? "-" : ""}${size / MICRO}.${fraction}`;
}

/** -1, 0 or 1. */
export function signOf(value) {
  const units = micro(value) ?? 0n;
  return units > 0n ? 1 : units < 0n ? -1 : 0;
}

/** The word, mark and class that say gain or loss without colour. */
export function trend(value) {
  return [
    { mark: "▼", word: "loss", name: "loss" },
    { mark: "•", word: "even", name: "even" },
    { mark: "▲", word: "gain", name: "gain" },
  ][signOf(value) + 1];
}

/** 1200 as "1.2K". For volumes only: never for money that is owed. */
export function compact(value) {
  const number = Number(value);
  if (!Number.isFinite(number)) return "–";
  if (number >= 1e6) return `${(number / 1e6).toFixed(1)}M`;
  return number >= 1e3 ? `${(number / 1e3).toFixed(1)}K` : String(Math.floor(number));
}

const two = (number) => String(number).padStart(2, "0");

/** Local wall clock "14:32:15". */
export function clock(iso) {
  const at = new Date(iso);
  if (!iso || Number.isNaN(at.getTime())) return "–";
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Local "14:32:15.118". */
export function clockMs(iso) {
  const at = new Date(iso);
  const text = clock(iso);
  return text === "–" ? text : `${text}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Local time of something that may be long ago, with its date where that is not today's:
 *  "14:32:15", "21 Nov, 14:32:15", "21 Nov 2025, 14:32:15". */
export const when = (iso) => dated(iso, clock(iso));

/** The same to the millisecond. */
export const whenMs = (iso) => dated(iso, clockMs(iso));

function dated(iso, text) {
  const [at, today] = [new Date(iso), new Date()];
  if (text === "–" || at.toDateString() === today.toDateString()) return text;
  const year = at.getFullYear() === today.getFullYear() ? "" : ` ${at.getFullYear()}`;
  return `${at.getDate()} ${MONTHS[at.getMonth()]}${year}, ${text}`;
}

/** The zone of every local time on the page: "Europe/Berlin". */
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** "21 Nov 2026, 14:32 UTC": for dates that people plan by. */
export function day(iso) {
  const at = new Date(iso);
  if (!iso || Number.isNaN(at.getTime())) return "–";
  const month = MONTHS[at.getUTCMonth()];
  const hours = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return `${at.getUTCDate()} ${month} ${at.getUTCFullYear()}, ${hours} UTC`;
}

/** A span for a reader: "120 ms", "1.4 s", "14 s", "3 min", "2 h 10 min", "5 d 4 h". */
export function span(ms) {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
