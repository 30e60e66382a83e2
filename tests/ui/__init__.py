"""The pages in a real browser, against a small server that speaks docs/socket.md."""
