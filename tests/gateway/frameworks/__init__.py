"""Programs that use frameworks and SDKs against a gateway, in the environment of `frameworks.txt`."""
