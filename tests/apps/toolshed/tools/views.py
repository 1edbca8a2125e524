from datetime import date

from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views import View

from tools.models import Tool


def tools(request):
    found = Tool.objects.order_by("id")
    since = request.GET.get("since", "2000-01-01")
    found = found.filter(bought__gte=date.fromisoformat(since))
    return JsonResponse({"tools": [{"pk": tool.pk, "name": tool.name} for tool in found]})


class Named(View):
    def get(self, request, name):
        return JsonResponse({"name": get_object_or_404(Tool, name=name).name})


def label(request, pk):
    tool = Tool.objects.filter(pk=pk % 1000).first()
    return JsonResponse({"label": tool.name.title()})
