"""Pure rules of the trade. Standard library only; no clock, no I/O, no float.

Glossary, one word per thing:
venue       Polymarket or Kalshi.
market      a yes/no question as one venue lists it; a *pair* is the same question at both.
outcome     YES or NO. An *instrument* is one outcome of one market: what an order names.
price       dollars per contract, in (0, 1). *tick*: the grid a price must lie on.
size        contracts (Polymarket calls them shares). Never quantity, amount or count.
notional    price times size, without fees. *outlay*: notional plus fees, what leaves the account.
book, level, depth    resting offers of one instrument; one price of it; how much of it there is.
order       an instruction to one venue. *intent*: the row that describes it before it is sent.
fill        one trade of one order, keyed by the venue's trade id; PROVISIONAL until it is final.
leg         one venue's half of an arbitrage. *excess*: what a leg holds beyond its sibling.
unwind      sell the excess, or neutralise it. *flatten*: sell everything. *surplus*: Polymarket
            shares received beyond the size asked for, because a better price was found; never
            counted as hedge.
neutralise  buy the other outcome of the same market: one contract of each is a *neutral pair*,
            which pays a dollar whatever the answer.
payout      dollars a holding pays when the question resolves; *guaranteed*: its minimum.
edge        guaranteed payout minus outlay. *roi*: edge over outlay, in percent.
gate        the one transaction that authorises both legs or none.
settlement  of a fill: Polymarket's chain has confirmed it (a leg that is *settled*). Of an
            arbitrage: the payout after the *resolution*, which is the answer to the question
            (SETTLING while a venue still owes it, SETTLED, *settles at*).
"""
