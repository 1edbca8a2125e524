from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plants", "0001_initial")]
    operations = [migrations.AddIndex("plant", models.Index(fields=["sown"], name="plants_by_sown"))]
