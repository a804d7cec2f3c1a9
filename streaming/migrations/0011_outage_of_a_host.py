"""Add `HostOutage`: for how long a host has been down."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0010_return_of_removed_movies'),
    ]

    operations = [
        migrations.CreateModel(
            name='HostOutage',
            fields=[
                ('host', models.CharField(max_length=255, primary_key=True, serialize=False)),
                ('began_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_failed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('failing_seconds', models.PositiveIntegerField(default=0)),
            ],
        ),
    ]
