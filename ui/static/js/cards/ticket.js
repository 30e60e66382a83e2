// The plain text of a trade, for a person who places it by hand.

import { copyText } from "../copy.js";
import { cost, price, size, usd } from "../fmt.js";

/** Both legs, equal shares, limits, the least it pays, links, and when this was true. */
export function ticket(card) {
  const leg = (name, { outcome, price: limit, url }) =>
    `BUY ${size(card.size)} ${outcome} ${name} @ ${price(limit)} limit  ${url ?? ""}`.trimEnd();
  return [
    card.title,
    leg("Polymarket", card.legs.polymarket),
    leg("Kalshi", card.legs.kalshi),
    `Cost ${cost(card.cost)} + fees ${cost(card.fees)}, pays at least ${usd(card.payout)}, ` +
      `net ${usd(card.profit, { sign: true })} (${card.roi} %)`,
    `Confidence ${card.confidence}. As of ${new Date().toISOString()}; prices move.`,
  ].join("\n");
}

export const copyTicket = (card) => copyText(ticket(card), { quiet: true });
