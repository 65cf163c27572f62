"""Why adversarial examples exist, with the formula on demand."""

from __future__ import annotations

import streamlit as st

WHY = """
A classifier is trained to be right on pictures like those in its training set. Nothing in that
training says *which* patterns it may rely on, and it finds many that people do not see. Changing
every pixel a little, each in the direction that lowers the classifier's confidence most, adds up:
with thousands of pixels, changes far too small to notice change the answer.

Ilyas et al. (2019) show that such patterns are not noise: they carry over to new pictures, and to
other classifiers. Nakkiran (2019) shows that some adversarial examples are different, plain bugs:
they hardly carry over, and teach a network only what people see anyway.
"""

FORMULA = r"""
An attack looks for a change $\delta$, no longer than $\varepsilon$, that makes the loss $L$ of the
label $y$ as large as possible:

$$
\max_{\|\delta\|_p \le \varepsilon} L\big(f(x + \delta),\, y\big), \qquad x + \delta \in [0, 1]^d
$$

**FGSM** takes one step, $\delta = \varepsilon \cdot \mathrm{sign}\, \nabla_x L$. **PGD** takes many
small ones and projects the change back into the ball of radius $\varepsilon$ after each:

$$
\delta \leftarrow \Pi_\varepsilon \big(\delta + \alpha \cdot s(\nabla_x L)\big), \qquad
s(g) = \begin{cases}
\mathrm{sign}\, g & \text{for } L_\infty \\ g / \|g\|_2 & \text{for } L_2
\end{cases}
$$

With a target $t$ it lowers the loss of $t$ instead. The step size $\alpha$ is
$2.5\, \varepsilon / i$ in step $i$ and at most $\varepsilon$, unless you set it. The result is the
best point of all steps.
"""


def attack_explanation(key: str) -> None:
    """An expander with the reasons; a toggle with this ``key`` shows the formula."""
    with st.expander("Why does this work?", icon=":material/help:"):
        st.markdown(WHY)
        if st.toggle("Show the formula", key=key):
            st.markdown(FORMULA)
