from datetime import date

from django.test import TestCase

from plants.models import Bed, Plant


class PlantTests(TestCase):
    def setUp(self):
        self.bed = Bed.objects.create(name="South wall")
        self.plant = Plant.objects.create(name="Fig", label="fig", bed=self.bed, sown=date(2026, 5, 1))

    def test_beds(self):
        self.assertEqual(self.client.get("/beds/").json()["beds"][0]["plants"], 1)
        self.assertEqual(self.client.get(f"/beds/{self.bed.pk}/").json(), {"name": "South wall", "sunny": True})
        self.assertEqual(self.client.get(f"/beds/{self.bed.pk}/plan/").json(), {"plan": "South wall: 1 plants"})
        self.assertEqual(self.client.get("/beds/999/plan/").status_code, 404)

    def test_plants(self):
        self.assertEqual(self.client.get("/plants/").json()["plants"][0]["label"], "fig")
        self.assertEqual(self.client.get(f"/plants/{self.plant.pk}/").json()["sown"], "2026-05-01")
        self.assertEqual(self.client.get("/plants/fig/bed/").json(), {"bed": "South wall"})
        self.assertEqual(self.client.get("/sown/?since=2026-05-01").json(), {"plants": ["Fig"]})

    def test_a_plant_is_added(self):
        made = self.client.post("/plants/new/", {"name": " Plum "}, content_type="application/json")
        self.assertEqual((made.status_code, made.json()["name"]), (201, "Plum"))
        empty = self.client.post("/plants/new/", {"name": " "}, content_type="application/json")
        self.assertEqual(empty.status_code, 400)
