"""Add `LoginCounter`, counts of wrong passwords, and the client of an open job, empty for the jobs that exist."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0013_takedown_state'),
    ]

    operations = [
        migrations.AddField(
            model_name='scrapejob',
            name='client',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=32),
        ),
        migrations.CreateModel(
            name='LoginCounter',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('attempts', models.PositiveIntegerField()),
                ('opened_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['opened_at'], name='login_counter_by_age')],
            },
        ),
    ]
