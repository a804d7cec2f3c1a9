from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0037_synopses_by_language'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(fields=['source', 'id'], name='link_by_source'),
        ),
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(fields=['kind', 'id'], name='link_by_kind'),
        ),
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(fields=['quality', 'id'], name='link_by_quality'),
        ),
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(fields=['licence', 'id'], name='link_by_licence'),
        ),
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(
                fields=['strength', 'id'],
                condition=models.Q(('strength', ''), _negated=True),
                name='link_by_strength',
            ),
        ),
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(fields=['id'], condition=models.Q(('is_active', False)), name='link_inactive'),
        ),
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(fields=['id'], condition=models.Q(('taken_down', True)), name='link_taken_down'),
        ),
    ]
