import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Bed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("sunny", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="Plant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("label", models.SlugField(max_length=100)),
                ("sown", models.DateField()),
                ("bed", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="plants",
                                          to="plants.bed")),
            ],
            options={"indexes": [models.Index(fields=["label"], name="plants_by_label")]},
        ),
    ]
