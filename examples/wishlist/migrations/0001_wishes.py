import bookstore.database.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('catalog', '0001_catalogue'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Wish',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('added_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('book', models.ForeignKey(on_delete=bookstore.database.deletion.lock_then_cascade, related_name='wishes', to='catalog.book')),
                ('user', models.ForeignKey(db_index=False, on_delete=bookstore.database.deletion.lock_then_cascade, related_name='wishes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'wishes',
                'db_table': 'wishes',
                'constraints': [models.UniqueConstraint(fields=('user', 'book'), name='uq_wishes_user_book')],
            },
        ),
    ]
