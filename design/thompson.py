"""Thompson sampling: the best alloy of one world that is as likely as any, another world for every pick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .acquisition import Gain, register_acquisition
from .hopes import log_height
from .outlook import Outlook
from .utility import as_modelled, utility


@register_acquisition(
    "thompson-sampling",
    "what would be best if one draw of what is believed, another for every pick, were the truth",
)
def thompson_sampling(outlook: Outlook) -> Gain:
    """One joint draw over the space and the known alloys; between them what is expected given that draw.

    So it is one smooth function, the same for all that are asked of it, and a batch is as diverse as what is believed.

    References
    ----------
    Thompson, Biometrika 25 (1933) 285; of batches, Kandasamy et al., AISTATS 84 (2018) 133.
    """
    outlook = as_modelled(outlook)
    anchors = outlook.to_come + outlook.reference.rows(outlook.known(outlook.reference))
    n_sought, m = len(outlook.sought), len(outlook.baseline) + len(anchors)
    # Its digits are as good as chance, and another row for each pick makes another draw.
    seed = outlook.normals[0, outlook.n_picked % outlook.normals.shape[1]].view(np.uint64)
    normals = np.random.default_rng(seed).standard_normal((n_sought, 1, m + 1))
    normals[:, :, -1] = 0.0  # the next alloy is what is expected of it
    world = utility(replace(outlook, to_come=anchors, normals=normals, _draws={}))
    scale = outlook.sought[0].scale if n_sought == 1 else 1.0
    floor = float(world.drawn(outlook.baseline).min())
    return lambda alloys: log_height(world.drawn(alloys)[:, 0], floor, scale)
