// The survival strip: what must be fine, at a glance.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { age } from "../clock.js";
import { cost, digits, micro, span, trend, usd } from "../fmt.js";
import { notFinal, winsNotFinal } from "./final.js";

const LOSS_WARNING_PERCENT = 70;
const DELAYED_MS = 2_000;
const STALE_MS = 10_000;

export function strip(s) {
  return html`
    ${profitTile(s)} ${tradesTile(s)} ${lossTile(s)} ${unhedgedTile(s)}
    ${venueTile("Polymarket", s.venues.polymarket, s.balances?.poly_exact ?? s.balances?.poly)}
    ${venueTile("Kalshi", s.venues.kalshi, s.balances?.kalshi_exact ?? s.balances?.kalshi)}
    ${serviceTile("Temporal", s.services.temporal)} ${serviceTile("Executor", s.services.executor)}
    ${notifierTile(s.services.notifier)}
  `;
}

function tile(label, value, note, name = "") {
  return html`
    <div class="tile ${name}">
      <span class="tile-label">${label}</span>
      <span class="tile-value">${value}</span>
      <span class="tile-note">${note}</span>
    </div>
  `;
}

function profitTile({ stats }) {
  if (!stats) return tile("Net today", "–", "");
  const pnl = stats.detail?.pnl ?? stats.pnl;
  const { mark, name } = trend(pnl);
  const value = html`<span class=${name}><span aria-hidden="true">${mark}</span>
    ${usd(pnl, { sign: true })}</span>`;
  const { fees, guaranteed } = stats.detail ?? {};
  const notes = [fees === undefined ? "" : `fees ${cost(fees)}`, notFinal(guaranteed)];
  return tile("Net today", value, notes.filter(Boolean).join(" · "));
}

function tradesTile({ stats, settings }) {
  if (!stats || !settings) return tile("Trades", "–", "");
  const value = `${stats.trades} / ${settings.max_daily_trades}`;
  const waits = winsNotFinal(stats.detail?.guaranteed);
  return tile("Trades", value, `${stats.wins} won${waits ? `, ${waits}` : ""}`);
}

function lossTile({ stats, settings }) {
  if (!stats?.detail || !settings) return tile("Loss used", "–", "");
  const used = micro(stats.detail.loss_used);
  const limit = micro(settings.max_daily_loss);
  const percent = limit > 0n ? Number((used * 100n + limit - 1n) / limit) : 100;
  const near = percent >= LOSS_WARNING_PERCENT;
  const value = html`${cost(stats.detail.loss_used)}
    <small>of ${usd(settings.max_daily_loss)}</small>`;
  const note = html`<meter min="0" max="100" high=${LOSS_WARNING_PERCENT} optimum="0"
      aria-label="Daily loss used" .value=${Math.min(100, percent)}></meter>
    ${near ? html`<span class="warn">▲ ${percent}%</span>` : nothing}`;
  return tile("Loss used", value, note);
}

function unhedgedTile({ unhedged }) {
  const naked = micro(unhedged.usd) !== 0n;
  const count = unhedged.legs.length;
  const value = naked ? html`<span class="loss">✖ ${cost(unhedged.usd)}</span>` : usd("0");
  const note = naked ? `${count} naked leg${count === 1 ? "" : "s"}` : "both legs or neither";
  return tile("Unhedged", value, note, naked ? "tile-alarm" : "");
}

/** The age of a venue's data: live, delayed, stale or down. */
export function feedState(feed) {
  if (!feed || feed.state === "down") return "down";
  const old = age(feed.book_at);
  if (Number.isNaN(old)) return "down";
  return old < DELAYED_MS ? "live" : old < STALE_MS ? "delayed" : "stale";
}

const DOTS = { live: "●", delayed: "◐", stale: "○", down: "✕" };

function venueTile(name, feed, balance) {
  if (!feed) return tile(name, "–", "");
  const word = feedState(feed);
  const old = word === "down" ? feed.detail || "no data" : `book ${span(age(feed.book_at))}`;
  const ping = feed.ping_ms === null || feed.ping_ms === undefined ? "" : ` · ${feed.ping_ms} ms`;
  const shut = feed.shut ? html` <span class="loss">✕ takes no orders: ${feed.shut}</span>` : "";
  const note = html`<span class="feed feed-${word}"><span aria-hidden="true">${DOTS[word]}</span>
    ${word}</span> ${old}${ping}${shut}`;
  const tone = feed.shut ? "down" : word;
  return tile(name, usd(balance), note, tone === "live" ? "" : `tile-${tone}`);
}

function serviceTile(name, service) {
  if (!service) return tile(name, "–", "");
  const up = service.state === "up";
  const value = html`<span class=${up ? "" : "loss"}>
    <span aria-hidden="true">${up ? "✓" : "✕"}</span> ${up ? "up" : service.state}</span>`;
  return tile(name, value, service.detail ?? "", up ? "" : "tile-down");
}

function notifierTile(notifier) {
  if (!notifier) return tile("Notifier", "–", "");
  if (notifier.state === "off") return tile("Notifier", "off", notifier.detail ?? "");
  const lag = Number(notifier.lag_ms ?? 0);
  const value = notifier.state === "up" ? `lag ${span(lag)}` : notifier.state;
  const note = notifier.detail || `${digits(notifier.waiting ?? 0, 0)} waiting`;
  return tile("Notifier", value, note, notifier.state === "up" ? "" : "tile-down");
}
