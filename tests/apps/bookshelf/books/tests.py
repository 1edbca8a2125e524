from django.test import TestCase

from books.models import Author, Book


class BookTests(TestCase):
    def test_a_book_is_listed(self):
        Book.objects.create(title="Emma", author=Author.objects.create(name="Jane Austen"), year=1815)
        self.assertEqual(self.client.get("/books/").json()["books"][0]["author"], "Jane Austen")

    def test_an_unknown_book(self):
        self.assertEqual(self.client.get("/books/99/").status_code, 404)
