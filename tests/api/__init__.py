"""The API on a real socket, with a real journal and a real Temporal server."""
