from django.http import JsonResponse

from books.models import Book


def index(request):
    books = Book.objects.order_by("id")[:100]
    return JsonResponse({"books": [{"id": book.id, "title": book.title, "author": book.author.name} for book in books]})


def years(request):
    return JsonResponse({"years": sorted({book.year for book in Book.objects.all() if book.year})})


def book(request, book_id):
    found = Book.objects.filter(id=book_id).first()
    if found is None:
        return JsonResponse({"error": "no such book"}, status=404)
    return JsonResponse({"title": found.title, "author": found.author.name, "year": found.year})
