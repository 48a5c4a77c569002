"""The custom resources of group algo.trading as pydantic models, which generate the CRD YAML."""
