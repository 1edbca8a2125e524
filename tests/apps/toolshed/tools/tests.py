from django.test import TestCase

from tools.models import Tool


class ToolTests(TestCase):
    def test_tools(self):
        Tool.objects.create(name="spade", bought="2026-01-02")
        self.assertEqual(len(self.client.get("/tools/").json()["tools"]), 1)
