// What selling now would bring, said with how old the books are that it is read from.

import { html, nothing } from "../../vendor/lit-html-3.3.3/lit-html.js";
import { clock, when } from "../fmt.js";

/** Why there is no figure of now; "" where there is. */
export function whyNoFigure(figure, { book_at: at, book_stale: stale }) {
  if (figure !== null && figure !== undefined) return "";
  if (stale) return at ? `no fresh book since ${when(at)}` : "no fresh book";
  return at ? "the books do not hold it" : "no book has been seen";
}

/** Beside a figure: by which books it is; beside a missing one: why. */
export const byWhichBook = (figure, row) => whyNoFigure(figure, row)
  || (row.book_at ? `by the books of ${clock(row.book_at)}` : "");

/** The reason of a missing figure as a hint; nothing where the figure is there. */
export function missing(figure, row) {
  const why = whyNoFigure(figure, row);
  return why ? html`<small class="no-figure">${why}</small>` : nothing;
}
