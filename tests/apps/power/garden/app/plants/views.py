import json
from datetime import date

from django.http import HttpResponseBadRequest, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import get_object_or_404
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from plants.models import Bed, Plant


def ping(request):
    return JsonResponse({"ok": True})


def beds(request):
    found = Bed.objects.order_by("id")[:50]
    return JsonResponse({"beds": [{"bed_id": bed.pk, "name": bed.name, "plants": bed.plants.count()}
                                  for bed in found]})


class BedDetail(View):
    def get(self, request, bed_id):
        bed = Bed.objects.filter(pk=bed_id).first()
        return JsonResponse({"name": bed.name, "sunny": bed.sunny})


def plan(request, bed_id):
    bed = get_object_or_404(Bed, pk=bed_id)
    return JsonResponse({"plan": f"{bed.name}: {bed.plants.count()} plants"})


class Plants(View):
    def get(self, request):
        page = int(request.GET.get("page", 1))
        found = Plant.objects.order_by("id")[(max(page, 1) - 1) % 500 * 20:][:20]
        return JsonResponse({"plants": [{"pk": each.pk, "name": each.name, "label": each.label} for each in found]})


def plant(request, pk):
    found = Plant.objects.get(pk=pk)
    return JsonResponse({"pk": found.pk, "name": found.name, "sown": found.sown.isoformat()})


def bed_of(request, label):
    found = Plant.objects.filter(label=label).select_related("bed").first()
    if found is None:
        return JsonResponse({"error": "no such plant"}, status=404)
    return JsonResponse({"bed": found.bed.name})


def sown(request):
    since = request.GET.get("since", "2026-05-01")
    day = date.fromisoformat(since)
    found = Plant.objects.filter(sown=day).order_by("id")[:20]
    return JsonResponse({"plants": [each.name for each in found]})


@csrf_exempt
def add(request):
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    sent = json.loads(request.body)
    name = sent["name"].strip()
    bed = Bed.objects.order_by("id").first()
    if not name or bed is None:
        return HttpResponseBadRequest("a name and a bed are needed")
    made = Plant.objects.create(name=name, label="new", bed=bed, sown=date(2026, 5, 1))
    return JsonResponse({"pk": made.pk, "name": made.name}, status=201)
