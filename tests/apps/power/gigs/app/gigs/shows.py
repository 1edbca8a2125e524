from flask import Blueprint, abort, jsonify, render_template, request, session

from gigs.db import get_db

bp = Blueprint("shows", __name__)

FIELDS = "id, title, day, price"


@bp.route("/")
def index():
    session["seen"] = True
    rows = get_db().execute(f"SELECT {FIELDS} FROM shows ORDER BY id DESC LIMIT 30").fetchall()
    return render_template("index.html", shows=rows)


@bp.route("/ping")
def ping():
    return "pong"


@bp.route("/shows")
def shows():
    limit = int(request.args.get("limit", 20))
    rows = get_db().execute(f"SELECT {FIELDS} FROM shows ORDER BY id LIMIT ?", (limit,)).fetchall()
    return jsonify([dict(row) for row in rows])


@bp.route("/shows/<int:show_id>")
def show(show_id):
    row = get_db().execute(f"SELECT {FIELDS} FROM shows WHERE id = ?", (show_id,)).fetchone()
    if row is None:
        abort(404)
    return jsonify(dict(row))


@bp.route("/shows/search")
def search():
    words = request.args.get("q", "")[:100]
    rows = get_db().execute(f"SELECT {FIELDS} FROM shows WHERE title LIKE ? ORDER BY id LIMIT 20", (f"{words}%",))
    return jsonify([dict(row) for row in rows])


@bp.route("/shows", methods=["POST"])
def add():
    sent = request.get_json()
    title = sent["title"].strip()
    if not title:
        abort(400)
    made = get_db().execute("INSERT INTO shows (venue_id, title, day) VALUES (1, ?, '2026-12-24')", (title,))
    get_db().commit()
    return jsonify(id=made.lastrowid, title=title), 201


@bp.route("/shows/<int:show_id>/seats", methods=["POST"])
def reserve(show_id):
    seats = int(request.form.get("seats", "1"))
    if not 1 <= seats <= 8:
        abort(400)
    return jsonify(seats=seats, show=show_id), 201
