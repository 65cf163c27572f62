"""What classifiers look for in a picture: gradients, activations, and pictures made from them."""
