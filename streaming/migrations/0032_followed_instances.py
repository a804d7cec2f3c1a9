"""Add the instances that are followed and what they state, and films that were removed because they dropped them.

SQLite rebuilds the table of removed movies, which drops its triggers.
"""

import django.db.models.deletion
import django.utils.timezone
import streaming.models.followed
from django.db import migrations, models

from streaming.models.change_triggers import WatchedColumns, install_triggers
from streaming.models.counter_triggers import install_counter_triggers, remove_counter_triggers

COLUMNS = WatchedColumns(
    movie=(
        'imdb_id', 'title', 'year', 'type', 'poster_url', 'synopsis', 'created_at', 'updated_at', 'runtime_minutes',
        'original_title', 'original_languages', 'countries', 'genres', 'directors', '"cast"', 'other_titles', 'fame',
    ),
    link=(
        'movie_id', 'source', 'source_url', 'kind', 'label', 'season', 'episode', 'quality', 'language', 'licence',
        'licence_url', 'duration_seconds', 'size_bytes', 'width', 'height', 'captions',
    ),
    removed=('imdb_id', 'title', 'removed_at', 'reason', 'restored_at'),
)


def remove(apps, schema_editor):
    remove_counter_triggers(schema_editor.connection)


def install(apps, schema_editor):
    install_triggers(schema_editor, COLUMNS)
    install_counter_triggers(schema_editor.connection, COLUMNS)


def name_staff(apps, schema_editor):
    """Give removals whose cause did not exist before the one that lets them return as little: by staff."""
    apps.get_model('streaming', 'RemovedMovie').objects.filter(cause='followed').update(cause='staff')


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0031_title_requests'),
    ]

    operations = [
        # Forwards the first thing that is done, backwards the last.
        migrations.RunPython(remove, install),
        migrations.CreateModel(
            name='FollowedInstance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=500, unique=True)),
                ('token', models.CharField(default=streaming.models.followed.new_token, editable=False, max_length=32, unique=True)),
                ('cursor', models.CharField(blank=True, default='', max_length=32)),
                ('generation', models.PositiveIntegerField(default=1)),
                ('is_complete', models.BooleanField(default=False)),
                ('losses', models.JSONField(blank=True, default=list)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('last_success_at', models.DateTimeField(blank=True, null=True)),
                ('last_error', models.CharField(blank=True, default='', max_length=300)),
                ('last_error_at', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='FollowedMovie',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('imdb_id', models.CharField(max_length=11)),
                ('state', models.CharField(choices=[('stated', 'Stated'), ('left', 'No longer stated'), ('taken_down', 'Taken down there')], default='stated', max_length=10)),
                ('is_made', models.BooleanField(default=False)),
                ('generation', models.PositiveIntegerField(default=1)),
                ('fields', models.JSONField(blank=True, default=dict)),
                ('links', models.JSONField(blank=True, default=dict)),
                ('dead', models.JSONField(blank=True, default=list)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='removedmovie',
            name='removed_cause_known',
        ),
        migrations.AlterField(
            model_name='removedmovie',
            name='cause',
            field=models.CharField(choices=[('check', 'Link check'), ('cleanup', 'Clean-up by hand'), ('staff', 'Staff'), ('takedown', 'Takedown'), ('followed', 'Followed instance')], default='check', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='removedmovie',
            constraint=models.CheckConstraint(condition=models.Q(('cause__in', ('check', 'cleanup', 'staff', 'takedown', 'followed'))), name='removed_cause_known'),
        ),
        migrations.AddField(
            model_name='followedmovie',
            name='instance',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='movies', to='streaming.followedinstance'),
        ),
        migrations.AddIndex(
            model_name='followedmovie',
            index=models.Index(fields=['imdb_id'], name='followed_by_imdb_id'),
        ),
        migrations.AddIndex(
            model_name='followedmovie',
            index=models.Index(fields=['instance', 'state', 'generation', 'imdb_id'], name='followed_by_generation'),
        ),
        migrations.AddConstraint(
            model_name='followedmovie',
            constraint=models.UniqueConstraint(fields=('instance', 'imdb_id'), name='followed_once_an_instance'),
        ),
        migrations.AddConstraint(
            model_name='followedmovie',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ('stated', 'left', 'taken_down'))), name='followed_state_known'),
        ),
        migrations.RunPython(migrations.RunPython.noop, name_staff),
        # Forwards the last thing that is done, backwards the first.
        migrations.RunPython(install, remove),
    ]
