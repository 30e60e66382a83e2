"""Who trades on Polymarket and where: everything the adapter needs to be told."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum

from eth_account import Account
from eth_utils.address import is_address, to_checksum_address

from venues.port import VenueMisuse

CHAINS = (137, 80002)
"""Polygon and its test network Amoy: the chains that the exchange contracts are known on."""


class SignatureType(IntEnum):
    """The venue's `signatureType`: which kind of wallet holds the funds."""

    EOA = 0
    PROXY = 1
    SAFE = 2
    DEPOSIT_WALLET = 3


@dataclass(frozen=True, slots=True)
class ApiKey:
    """L2 credentials as the venue hands them out."""

    key: str
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for the venue, and when its silence counts as a fault.

    `stale_after` bounds the age of the market stream's last data, not of its PONGs: streams have
    accepted a subscription and stayed silent for hours (field reports). `rows` bounds how long a
    placed order waits for the list of its trades.
    """

    connect: timedelta = timedelta(seconds=3)
    order: timedelta = timedelta(seconds=15)
    read: timedelta = timedelta(seconds=5)
    ping: timedelta = timedelta(seconds=10)
    stale_after: timedelta = timedelta(seconds=30)
    reconnect: timedelta = timedelta(seconds=1)
    metadata_age: timedelta = timedelta(minutes=2)
    rows: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class PolymarketAccount:
    """One account. URLs without a trailing slash; `ws_url` up to and including `/ws`.

    `funder` is the wallet that holds the funds: the signer itself for an EOA, the proxy, safe or
    deposit wallet otherwise. `api_key` None: it is derived from the private key at first need.
    """

    private_key: str = field(repr=False)
    funder: str
    signature_type: SignatureType
    api_key: ApiKey | None = None
    clob_url: str = "https://clob.polymarket.com"
    gamma_url: str = "https://gamma-api.polymarket.com"
    data_url: str = "https://data-api.polymarket.com"
    ws_url: str = "wss://ws-subscriptions-clob.polymarket.com/ws"
    chain_id: int = 137
    timeouts: Timeouts = Timeouts()


@dataclass(frozen=True, slots=True)
class Wallet:
    """The public half of an account, enough to name an order before anybody signs it.

    Addresses are checksummed. Type 3 orders name the deposit wallet as maker and signer.
    """

    owner: str
    funder: str
    signature_type: SignatureType
    chain_id: int

    @property
    def kind(self) -> str:
        """The signature type as queries and their signatures name it."""
        return str(int(self.signature_type))

    @property
    def order_signer(self) -> str:
        """The address an order names as its signer."""
        return self.funder if self.signature_type is SignatureType.DEPOSIT_WALLET else self.owner


def wallet_of(account: PolymarketAccount) -> Wallet:
    """The account's wallet; VenueMisuse names the field that is malformed, never its value."""
    try:
        owner = Account.from_key(account.private_key).address
    except Exception:  # noqa: BLE001  eth-keys raises several families; none may show the key
        raise VenueMisuse(
            "private_key: expected 32 bytes of hex that are a secp256k1 key"
        ) from None
    if account.chain_id not in CHAINS:
        raise VenueMisuse(f"chain_id: expected one of {CHAINS}, found {account.chain_id}")
    if not is_address(account.funder):
        raise VenueMisuse(f"funder: expected a 0x address of 20 bytes, found {account.funder!r}")
    funder = to_checksum_address(account.funder)
    if account.signature_type is SignatureType.EOA and funder != owner:
        raise VenueMisuse(f"funder: expected the signer {owner} for type 0, found {funder}")
    return Wallet(owner, funder, account.signature_type, account.chain_id)
