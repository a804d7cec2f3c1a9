from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0033_source_result_counts'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(fields=['reason', 'id'], name='link_by_reason'),
        ),
    ]
