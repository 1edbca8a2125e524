from django.urls import path

from plants import views

urlpatterns = [
    path("ping/", views.ping),
    path("beds/", views.beds),
    path("beds/<int:bed_id>/", views.BedDetail.as_view()),
    path("beds/<int:bed_id>/plan/", views.plan),
    path("plants/", views.Plants.as_view()),
    path("plants/new/", views.add),
    path("plants/<int:pk>/", views.plant),
    path("plants/<slug:label>/bed/", views.bed_of),
    path("sown/", views.sown),
]
