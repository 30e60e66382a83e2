"""The recovery policies of two legs as an explicit-state model, searched breadth first."""
