from django.urls import include, path

urlpatterns = [path("tools/", include("tools.urls"))]
