"""The custom resources of group algo.trading as pydantic models, which generate the CRD YAML.

One kind a module; `catalog` lists the kinds, `rules` and `values` hold what they share, `translate` is the way to the
runtime contracts and back.
"""
