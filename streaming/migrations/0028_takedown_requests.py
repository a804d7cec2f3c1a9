import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("streaming", "0027_schedule"),
    ]

    operations = [
        migrations.CreateModel(
            name="TakedownRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("target", models.CharField(max_length=2000)),
                (
                    "claim",
                    models.CharField(
                        choices=[
                            ("copyright", "My copyright or that of my client"),
                            ("person", "My picture, name or private life"),
                            ("illegal", "Illegal content"),
                            ("other", "Another reason"),
                        ],
                        max_length=9,
                    ),
                ),
                ("statement", models.TextField(max_length=2000)),
                ("name", models.CharField(max_length=100)),
                ("email", models.EmailField(max_length=254)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("handled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("taken_down", "Taken down"), ("declined", "Declined")],
                        default="",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["handled_at", "id"], name="takedown_by_review")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("claim__in", ("copyright", "person", "illegal", "other"))),
                        name="takedown_claim_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("handled_at", None), ("outcome", "")),
                            models.Q(("handled_at__isnull", False), ("outcome__in", ("taken_down", "declined"))),
                            _connector="OR",
                        ),
                        name="takedown_decided_with_outcome",
                    ),
                ],
            },
        ),
    ]
