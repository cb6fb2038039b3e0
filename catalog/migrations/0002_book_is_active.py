
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0001_catalogue'),
    ]

    operations = [
        migrations.AddField(
            model_name='book',
            name='is_active',
            field=models.BooleanField(db_default=True, default=True, help_text='Off: withdrawn. It leaves the list and the search; the carts that hold it show it as unavailable.', verbose_name='on sale'),
        ),
    ]
