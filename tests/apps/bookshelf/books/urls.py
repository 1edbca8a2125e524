from django.urls import path

from books import views

urlpatterns = [
    path("", views.index),
    path("years/", views.years),
    path("<int:book_id>/", views.book),
]
