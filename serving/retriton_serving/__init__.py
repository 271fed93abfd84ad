"""Everything about serving: the contract, the batching, the engines, the models inside Triton, and the launcher.

``contract`` is what client, export and servers share, ``batching`` knows no Triton, ``engines`` compute vectors,
``triton`` runs inside Triton's Python backend, and ``launcher`` starts and supervises servers from outside.
"""
