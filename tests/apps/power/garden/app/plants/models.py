from django.db import models


class Bed(models.Model):
    name = models.CharField(max_length=100)
    sunny = models.BooleanField(default=True)


class Plant(models.Model):
    bed = models.ForeignKey(Bed, on_delete=models.CASCADE, related_name="plants")
    name = models.CharField(max_length=100)
    label = models.SlugField(max_length=100)
    sown = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["label"], name="plants_by_label")]
