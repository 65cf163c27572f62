"""All commands, each with the module of this package that has its options, and what it does.

The list of them needs no other import, so that it is shown in no time.
"""

from __future__ import annotations

# By name, in the order of --help: the module and the sentence.
COMMANDS = {
    "app": ("app", "start the app, which opens in the browser"),
    "attack": ("attack", "attack one image and write the result to a folder"),
    "rerun": ("rerun", "repeat a recipe and say whether anything differs"),
    "evaluate": ("evaluate", "robust accuracy of a classifier on a data set"),
    "sweep": ("sweep", "accuracy and confidence of one or more classifiers against ε"),
    "smallest": (
        "smallest",
        "the smallest ε that fools a classifier, an upper bound for each image",
    ),
    "transfer": ("transfer", "how often an attack on one classifier fools another"),
    "compare": (
        "compare",
        "one attack on two to four classifiers, and who is fooled by whose picture",
    ),
    "gradients": (
        "gradients",
        "what two to four classifiers respond to in a picture: input gradients",
    ),
    "layers": ("layers", "how far an attack and noise of its size move each layer's activations"),
    "large-epsilon": (
        "large_epsilon",
        "targeted attacks so large that people see what a classifier takes for the target",
    ),
    "synthesise": (
        "synthesise",
        "pictures that classifiers draw of a class, and who recognises them",
    ),
    "invert": ("invert", "a picture from noise with the features that classifiers see in another"),
    "paint": ("paint", "classifiers fill a part of a picture with what a class looks like to them"),
    "universal": ("universal", "one perturbation that fools a classifier on most images"),
    "patch": ("patch", "a small picture that makes a classifier say its target wherever it sticks"),
    "dispute": ("dispute", "ordinary PGD beside an attack that is built not to transfer"),
    "dispute-training": (
        "dispute_training",
        "train a network on each of the two attacks, under the next class' label",
    ),
    "five-sets": ("five_sets", "one picture in the five sets of Ilyas et al."),
    "build": ("build", "build D_R, D_NR, D_rand or D_det (Ilyas et al. 2019) with a classifier"),
    "export": (
        "export",
        "write a built set like MIT's release, as an image folder or a Parquet file",
    ),
    "gallery": ("gallery", "list the sample pictures, which commands take as gallery:KEY"),
    "download": ("download", "fetch CIFAR-10 (170 MB), which --data cifar10 reads"),
    "models": (
        "models",
        "list the classifiers with data, training, accuracy, size and place, or fetch or add one",
    ),
    "train": ("train", "train one of the bundled classifiers again"),
    "bench": (
        "benchmark",
        "measure the attack's speed and strength, with --peers beside other libraries",
    ),
    "doctor": (
        "doctor",
        "what to run before a lecture: whether all is there and works, and what is quick",
    ),
}
