"""Wallets: whose they are, what they hold, and what the CLOB's balance cache believes."""

from dataclasses import dataclass, field

from eth_utils.crypto import keccak

from sim.ledger import Account
from sim.polymarket.orders import SignatureType


def wallet_address(owner: str, kind: SignatureType) -> str:
    """The address that holds an owner's funds under a signature type, lower-case."""
    if kind is SignatureType.EOA:
        return owner
    return "0x" + keccak(f"{kind.name}|{owner}".encode())[12:].hex()


@dataclass(slots=True)
class Wallet:
    """One holder. Cash leaves at the match and comes back if the trade fails.

    `account` has what is on chain: bought tokens enter when MINED, sale proceeds too.
    `unseen` are mined tokens the balance cache has not noticed: trade id to (token, size).
    `reserved` is what live orders hold back: order id to (token or "", amount).
    """

    address: str
    owner: str
    kind: SignatureType
    account: Account
    pending: dict[str, int] = field(default_factory=dict)
    pending_cash: int = 0
    unseen: dict[str, tuple[str, int]] = field(default_factory=dict)
    reserved: dict[str, tuple[str, int]] = field(default_factory=dict)

    def cached(self, token: str) -> int:
        """What the cache takes for the balance of a token, or of cash for ""."""
        if token == "":
            return self.account.cash
        hidden = sum(size for held, size in self.unseen.values() if held == token)
        return max(0, self.account.position(token) - hidden)

    def available(self, token: str) -> int:
        """The cached balance less what live orders hold back."""
        return self.cached(token) - self.held_back(token)

    def held_back(self, token: str) -> int:
        return sum(amount for held, amount in self.reserved.values() if held == token)

    def refresh(self, token: str) -> None:
        """Let the cache see what is on chain."""
        self.unseen = {ref: part for ref, part in self.unseen.items() if part[0] != token}

    def expect(self, token: str, size: int) -> None:
        """Change what is bought but not mined."""
        left = self.pending.get(token, 0) + size
        if left:
            self.pending[token] = left
        else:
            del self.pending[token]
