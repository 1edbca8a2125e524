from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel(name="Tool", fields=[
        ("id", models.BigAutoField(primary_key=True, serialize=False)), ("name", models.CharField(max_length=50)),
        ("bought", models.DateField())])]
