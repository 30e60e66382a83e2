"""Both venues behind one port; nothing above this room sees a venue's JSON or vocabulary."""
