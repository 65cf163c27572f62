"""Pictures in and out: safe decoding of uploads, geometry, 8 bits, distances, and the gallery of samples.

Light to import: scikit-image is imported by the one function that needs it, torchvision by none.
"""
