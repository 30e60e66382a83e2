// A result is guaranteed until both venues have paid, and final from then on.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { usd } from "../fmt.js";

const MEANING = "The least that it pays whatever the answer; final once both venues have paid";

/** The mark of a trade whose result is not final; nothing where it is, or nobody says. */
export const guaranteedMark = ({ final }) => (final === false
  ? html`<small class="guaranteed" title=${MEANING}>guaranteed</small>` : nothing);

/** What of a sum is not final: "incl. +$0.71 not final"; "" where all of it is. */
export function notFinal(part) {
  if (!part?.trades) return "";
  return `incl. ${usd(part.pnl, { sign: true })} not final`;
}

/** How many of the wins are not final: "1 of them not final"; "" where all are. */
export const winsNotFinal = (part) => (part?.wins ? `${part.wins} of them not final` : "");
