from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0035_people_in_search'),
    ]

    operations = [
        migrations.AddField(
            model_name='healthrun',
            name='is_partial',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
