"""How the service and the model file run elsewhere: containers, Kubernetes, Triton, KServe."""
