"""The dispute in words: the claim, the objections, the authors' answers, and users' questions.

``{…}`` are figures of this project's own classifiers, which ``dispute_figures.py`` fills in.
"""

from __future__ import annotations

CLAIM = """
**The claim.** [Ilyas et al. (2019)](https://arxiv.org/abs/1905.02175) say that adversarial examples
are not flaws of a network but *features* of the data: patterns that predict the label on new images
too, and that a small change can overturn. Two observations carry the claim. A classifier learns
something true from images whose labels only the perturbation explains (D_det). And adversarial
examples transfer, as different classifiers learn the same patterns.
"""

OBJECTIONS = """
**Some adversarial examples are just bugs.**
[Nakkiran](https://distill.pub/2019/advex-bugs-discussion/response-5/) builds some that hardly
transfer (1.7 % against 82.5 % for PGD's, L2). Trained on them under the next label, a network
learns what people see and is right on 70.8 % of test images with shifted labels; after PGD's, on
27.3 %.
- *The authors:* their claim is that features *can* be adversarial, not that all adversarial
  examples are features. That these do not transfer supports the link between transfer and features.
- *Here:* on photographs of CIFAR-10 the second attack fools the classifier trained on D, which is
  in its ensemble, in {d_isolated}, and PGD in {d_ordinary}. The classifier trained on D_NR has
  learned the non-robust features of the attacked one: the second attack fools it in {nr_isolated},
  PGD in {nr_ordinary}. So such examples still use features, only not those of the ensemble.
- *Trained on each here,* under the next label: after PGD's examples a network says a test image's
  own class on {learned_ordinary} and the next class, as people taught by these labels would, on
  {learned_ordinary_next}. After the other examples it is {learned_isolated} and
  {learned_isolated_next}. After the unchanged photographs it says the next class on
  {learned_none_next}.

**D_rand leaks robust features.**
[Goh](https://distill.pub/2019/advex-bugs-discussion/response-2/) finds that a linear model of
robust features reaches 23.5 % from D_rand. D_det does not leak.
- *The authors:* this possibility was the reason to build D_det, in which robust features point to a
  wrong class.
- *Here:* trained on D_rand {d_rand}; trained on D_det {d_det}. Chance is 10 %.

**Wrong labels suffice.**
[Wallace](https://distill.pub/2019/advex-bugs-discussion/response-6/) trains on *unperturbed* images
that carry a model's own wrong labels, and reaches 49.7 %.
- *The authors:* learning from a model's predictions passes its features on too. It is a
  distillation of features, and the paper's experiments are a special case.
- *Here:* not repeated.

**D_R protects less than it seemed.** [Li et al. (2023)](https://arxiv.org/abs/2310.18936) find that
models trained on D_R are far less robust under AutoAttack than under PGD.
- *The authors:* we know of no answer.
- *Here:* trained on D_R, at L2 ε = 0.25, {d_r_pgd} under PGD and {d_r_apgd} under APGD; trained on
  D, {d_pgd} and {d_apgd}.
"""

QUESTIONS = """
- **Which code built the sets?** The authors published the sets and, for D_R, a
  [notebook](https://github.com/MadryLab/constructed-datasets/issues/5); the building code is
  [still asked for](https://github.com/MadryLab/constructed-datasets/issues/6). Here
  [one picture is built live](datasets), and `python -m explorer build` builds a whole set.
- **Which training recipe?** Appendix C, with the library `robustness`,
  [the authors say](https://github.com/MadryLab/constructed-datasets/issues/3). D_det needs it most:
  a learning rate of 0.1 and no shifted or mirrored images (augmentation). Our recipes are in the
  card of each classifier, on the page [Models](models).
- **Are classifiers trained on D_R robust?** Partly: see the last entry above. Move ε on
  [it and the classifier trained on D](compare?compare_models=cifar10-d_r&compare_models=cifar10-d),
  or see [the whole curve](curves?curves_models=cifar10-d_r&curves_models=cifar10-d&curves_norm=L2).
- **Why is D_det so weak?** Its labels contradict everything that people see, so that only the
  non-robust features are left to learn from, and those are small: ours reaches {d_det}, the paper's
  43.7 % with 50,000 images and a ResNet-50. Others
  [failed to reproduce it](https://github.com/MadryLab/constructed-datasets/issues/3) without the
  exact recipe.
- **Are D_rand and D_det adversarial at all?** Not for every network:
  [a new ResNet-50](https://github.com/MadryLab/constructed-datasets/issues/11) gave 38 % and
  42 % of the published images the sets' labels. The page
  [Robust and non-robust data](datasets) shows for each image whether its target was reached.
"""
