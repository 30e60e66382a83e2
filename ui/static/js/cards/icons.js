// Small line drawings of what a market is about; drawn, because not every device has emoji.

import { html, svg } from "../../vendor/lit-html-3.3.3/lit-html.js";

const BALL = svg`<circle cx="12" cy="12" r="9"></circle>`;
const DRAWINGS = {
  basketball: svg`${BALL}<path d="M3 12h18M12 3v18M5.6 5.6c4 3.4 4 9.4 0 12.8m12.8-12.8
    c-4 3.4-4 9.4 0 12.8"></path>`,
  football: svg`${BALL}<path d="m12 8 4 3-1.5 4.5h-5L8 11zM12 8V3m4 8 4.6-1.6M14.5 15.5l3 4
    M9.5 15.5l-3 4M8 11 3.4 9.4"></path>`,
  politics: svg`<path d="M3 9.5 12 4l9 5.5zM5 10v8m4.7-8v8m4.6-8v8M19 10v8M3 20.5h18"></path>`,
  economics: svg`<path d="M3 20h18M4 16l5-5 4 3 7-8m0 0h-5m5 0v5"></path>`,
  crypto: svg`${BALL}<path d="M10 7.5v9m0-9h3.2a2.2 2.2 0 0 1 0 4.4H10m0 0h3.8a2.3 2.3 0 0 1 0
    4.6H10m1.4-11v2m0 9v2"></path>`,
  weather: svg`<path d="M7 18a4 4 0 0 1-.4-8A5.5 5.5 0 0 1 17.3 9 4.5 4.5 0 0 1 17 18z"></path>`,
};
// How the venues call what we have a drawing for.
const SAME = {
  sports: "basketball", soccer: "football", elections: "politics", financials: "economics",
  companies: "economics", "climate and weather": "weather", climate: "weather",
};
const OTHER = svg`<path d="M12 3.5 20.5 12 12 20.5 3.5 12z"></path>`;

const drawing = (name) => DRAWINGS[name] ?? DRAWINGS[SAME[name]] ?? OTHER;
const named = (category) => String(category ?? "").toLowerCase();

/** The drawing for a category; a diamond for those without one. */
export const icon = (category) => html`<svg class="icon" viewBox="0 0 24 24" width="18" height="18"
  aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round"
  stroke-linecap="round">${drawing(named(category))}</svg>`;
