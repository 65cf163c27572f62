"""What the sets do not show: published objections and follow-ups, with their sources."""

from __future__ import annotations

import streamlit as st

CAVEATS = """
The paper ([Ilyas et al. 2019](https://arxiv.org/abs/1905.02175)) concludes that adversarial
examples are features of the data. Others found the limits of that conclusion:

- **Some adversarial examples are just bugs.**
  [Nakkiran (Distill 2019)](https://distill.pub/2019/advex-bugs-discussion/response-5/) builds some
  that do not transfer to other classifiers (1.7 % against 82.5 % for PGD's), and nothing can be
  learned from them. So D_det shows that features *can* be adversarial, not that all adversarial
  examples are features.
- **D_rand leaks robust features.**
  [Goh (Distill 2019)](https://distill.pub/2019/advex-bugs-discussion/response-2/) finds that a
  linear model on robust features alone reaches 23.5 % from D_rand; D_det does not leak.
- **Wrong labels need no perturbation.**
  [Wallace (Distill 2019)](https://distill.pub/2019/advex-bugs-discussion/response-6/) trains on
  *unperturbed* images under a model's own wrong labels and still reaches 49.7 %: learning from
  mislabelled data can be distillation.
- **D_R protects less than PGD suggested.** Under AutoAttack, models trained on D_R are far less
  robust than the paper's own attack measured
  ([arXiv 2310.18936](https://arxiv.org/abs/2310.18936)).

This page adds limits of its own: few steps, small networks, one picture at a time. A single row
illustrates a construction; only training a classifier on many images shows what a set teaches.
What an image “should look like” follows from what it was built from; no person was asked.
"""


def caveats() -> None:
    """Draw an expander with the caveats."""
    with st.expander("What this does not show", icon=":material/balance:"):
        st.markdown(CAVEATS)
