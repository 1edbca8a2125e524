def test_books_are_listed(http):
    assert len(http.get("/v1/books").json()["items"]) == 20


def test_a_negative_skip_is_none(http):
    assert http.get("/v1/books?skip=-1").status_code == 200


def test_pages_of_books_stay_small(http):
    assert http.get("/v1/books?limit=101").status_code == 422
