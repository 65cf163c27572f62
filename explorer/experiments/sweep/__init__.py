"""Questions about many images: accuracy against ε, the smallest ε of each, and transfer."""
