"""The index of the order by fame."""

import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0023_facets'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(models.OrderBy(models.F('fame'), descending=True), models.OrderBy(models.F('active_link_count'), descending=True), django.db.models.functions.comparison.Coalesce('year', models.Value(9999)), models.F('search_title'), models.F('id'), name='movie_by_fame'),
        ),
    ]
