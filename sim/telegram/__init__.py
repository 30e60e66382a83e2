"""Telegram's Bot API as one bot sees it, simulated: chats, long polling and troubles on order."""
