"""What the sets do not show: the objections, each with where it was made."""

from __future__ import annotations

import streamlit as st

OBJECTIONS = """
The paper ([Ilyas et al. 2019](https://arxiv.org/abs/1905.02175)) concludes that adversarial examples are features of the data. Others found
where that conclusion ends:

- **Some adversarial examples are just bugs.** [Nakkiran (Distill 2019)](https://distill.pub/2019/advex-bugs-discussion/response-5/) builds
  some that do not carry over to other classifiers (1.7 % against 82.5 % for PGD's), and nothing can be learned from them. So
  D_det shows that features *can* be adversarial, not that all adversarial examples are features.
- **D_rand leaks robust features.** [Goh (Distill 2019)](https://distill.pub/2019/advex-bugs-discussion/response-2/) finds that a linear
  model on robust features alone reaches 23.5 % from D_rand; D_det does not leak.
- **Wrong labels need no perturbation.** [Wallace (Distill 2019)](https://distill.pub/2019/advex-bugs-discussion/response-6/) trains on
  *unperturbed* images under a model's own wrong labels and still reaches 49.7 %: learning from mislabelled data can be distillation.
- **D_R protects less than PGD said.** Under AutoAttack, models trained on D_R are far less robust
  ([arXiv 2310.18936](https://arxiv.org/abs/2310.18936)) than the paper's own attack measured.

And on this page: few steps, small networks, one picture at a time. A single row illustrates a construction; what a set teaches shows
only when a classifier is trained on many of its images. "A person sees" is derived from what an image was made from; nobody was asked.
"""


def caveats() -> None:
    """An expander."""
    with st.expander("What this does not show", icon=":material/balance:"):
        st.markdown(OBJECTIONS)
