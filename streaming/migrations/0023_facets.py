"""Add `MovieFacet`, and the triggers that keep it. No movie has genres, people or captions yet, so it is empty."""

import django.db.models.deletion
from django.db import migrations, models

from streaming.models.facet_triggers import install_facet_triggers, rebuild_facets, remove_facet_triggers


def install(apps, schema_editor):
    install_facet_triggers(schema_editor.connection)
    rebuild_facets(schema_editor.connection)


def remove(apps, schema_editor):
    remove_facet_triggers(schema_editor.connection)


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0022_facts'),
    ]

    operations = [
        migrations.CreateModel(
            name='MovieFacet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('link_id', models.BigIntegerField(db_default=0, default=0)),
                ('kind', models.CharField(choices=[('genre', 'Genre'), ('country', 'Country'), ('person', 'Person'), ('captions', 'Captions')], max_length=8)),
                ('value', models.CharField(max_length=100)),
                ('movie', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='facets', to='streaming.movie')),
            ],
            options={
                'indexes': [models.Index(fields=['movie', 'link_id'], name='facet_of_movie')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'value', 'movie', 'link_id'), name='facet_once_a_movie')],
            },
        ),
        migrations.RunPython(install, remove),
    ]
