"""Pictures: safe decoding of uploads, geometry, 8-bit values, distances, the gallery of samples.

Quick to import: only one function imports scikit-image, and none imports torchvision.
"""
