import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0029_api_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='ArchivedCopy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(blank=True, default='', max_length=2100)),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('asked_at', models.DateTimeField()),
                ('link', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='archived_copy', to='streaming.streaminglink')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('archived_at', None), ('url', '')), models.Q(models.Q(('url', ''), _negated=True), ('archived_at__isnull', False)), _connector='OR'), name='archived_copy_has_time')],
            },
        ),
    ]
