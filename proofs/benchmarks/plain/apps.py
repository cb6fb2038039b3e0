from django.apps import AppConfig


class PlainConfig(AppConfig):
    name = "proofs.benchmarks.plain"
    label = "plain"
