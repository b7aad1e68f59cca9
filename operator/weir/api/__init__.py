"""The resources as the Kubernetes API has them:

models, phases, reasons, names. Imports nothing of ours.
"""
