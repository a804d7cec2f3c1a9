import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import django.utils.timezone
from django.db import migrations, models


def delete_title_jobs(apps, schema_editor):
    """Before, each job had a movie."""
    apps.get_model("streaming", "ScrapeJob").objects.filter(movie=None).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0030_archived_copies'),
    ]

    operations = [
        migrations.AlterField(
            model_name='scrapejob',
            name='movie',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='streaming.movie'),
        ),
        migrations.CreateModel(
            name='TitleRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('imdb_id', models.CharField(max_length=11, unique=True, verbose_name='IMDb id')),
                ('title', models.CharField(blank=True, default='', max_length=200)),
                ('year', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('type', models.CharField(blank=True, default='', max_length=5)),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, choices=[('found', 'Links found'), ('review', 'Links await review'), ('nothing', 'No source has it'), ('failed', 'The sources did not respond')], default='', max_length=7)),
                ('fruitless', models.PositiveSmallIntegerField(default=0)),
                ('next_ask_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['next_ask_at', 'id'], name='title_request_by_next')],
                'constraints': [models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(django.db.models.functions.text.Substr('imdb_id', 1, 2), models.Value('tt')), django.db.models.lookups.Exact(models.Func(django.db.models.functions.text.Substr('imdb_id', 3), models.Value('0123456789'), function='LTRIM', output_field=models.CharField()), models.Value('')), django.db.models.lookups.Range(django.db.models.functions.text.Length('imdb_id'), (9, 11))), name='title_request_imdb_id_shape'), models.CheckConstraint(condition=models.Q(('outcome__in', ('', 'found', 'review', 'nothing', 'failed'))), name='title_request_outcome_known')],
            },
        ),
        migrations.AddField(
            model_name='scrapejob',
            name='title_request',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='streaming.titlerequest'),
        ),
        migrations.AddConstraint(
            model_name='scrapejob',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('queued', 'running')), ('title_request__isnull', False)), fields=('title_request',), name='job_one_open_a_title'),
        ),
        migrations.AddConstraint(
            model_name='scrapejob',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('movie', None), ('title_request__isnull', False)), models.Q(('movie__isnull', False), ('title_request', None)), _connector='OR'), name='job_of_movie_or_title'),
        ),
        migrations.RunPython(migrations.RunPython.noop, delete_title_jobs),
    ]
