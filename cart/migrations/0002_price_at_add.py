from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cart', '0001_carts'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='cartitem',
            name='price_at_add',
            field=models.DecimalField(decimal_places=2, editable=False, help_text='unit price when the line was added or last changed', max_digits=10, null=True),
        ),
    ]
