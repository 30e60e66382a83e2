// The index page: scanner, filters and cards.

import { applyNow, cardList, queuePill, scanning, startList, tickList } from "./cards/list.js";
import { filterBar, startFilters } from "./cards/filters.js";
import { age, onTick } from "./clock.js";
import { thumbBar } from "./executor/command.js";
import { feedState } from "./executor/strip.js";
import { span } from "./fmt.js";
import { bind } from "./keys.js";
import { startShell } from "./shell.js";
import { touch, view } from "./store.js";
import { html } from "../vendor/lit-html-3.3.3/lit-html.js";

const at = (id) => document.getElementById(id);

function scannerStrip(s) {
  if (!s.scanner) return html`<p class="muted">No scanner reports: is an executor running?</p>`;
  const feed = (name, venue) => {
    const word = feedState(venue);
    return html`<span class="feed feed-${word}">${name} ${word === "down" ? "down"
      : span(age(venue.book_at))}</span>`;
  };
  return html`
    <p>${scanning(s.scanner)} Last cycle ${span(age(s.scanner.cycle_at))} ago.</p>
    <p class="feeds">${feed("Polymarket", s.venues.polymarket)}
      ${feed("Kalshi", s.venues.kalshi)}</p>
  `;
}

startFilters(() => applyNow());
startList(at("cards"));
view(at("scanner"), ["scanner", "venues", "clock"], scannerStrip);
view(at("filters"), ["filters", "counts"], filterBar);
view(at("queue"), ["queue"], queuePill);
view(at("cards"), ["cards", "filters"], cardList);
view(at("thumb"), ["run_state", "enabled", "pending"], thumbBar);
onTick(() => {
  tickList();
  touch("counts");
});
bind("/", "Filter", () => at("search").focus());
bind("r", "Apply queued changes", applyNow);
startShell(["cards"]);
