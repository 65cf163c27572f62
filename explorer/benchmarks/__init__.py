"""Speed, strength, cost and memory of the attack, beside other libraries."""
