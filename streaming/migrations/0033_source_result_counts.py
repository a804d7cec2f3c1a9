from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0032_followed_instances'),
    ]

    operations = [
        migrations.CreateModel(
            name='SourceResultCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=50)),
                ('result', models.CharField(choices=[('waiting', 'Waiting'), ('searching', 'Searching'), ('found', 'Links found'), ('nothing', 'No links found'), ('failed', 'Failed'), ('blocked', 'Blocked')], max_length=9)),
                ('number', models.BigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('source', 'result'), name='source_result_counted_once')],
            },
        ),
    ]
