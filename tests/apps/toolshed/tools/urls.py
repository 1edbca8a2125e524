from django.urls import path

from tools import views

urlpatterns = [
    path("", views.tools),
    path("<slug:name>/", views.Named.as_view()),
    path("<int:pk>/label/", views.label),
]
