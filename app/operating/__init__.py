"""What an operator's commands do: reading the journal, speaking to workflows, explaining."""
