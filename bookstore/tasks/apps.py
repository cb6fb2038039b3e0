from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "bookstore.tasks"
    label = "tasks"
    verbose_name = "Background tasks"
