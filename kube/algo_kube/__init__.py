"""The one Kubernetes client of the platform; nothing else imports the `kubernetes` package.

`client.create_kube_client` makes it, `resources` names what it can reach, `errors` says what can go wrong.
"""
