from flask import Blueprint, abort, jsonify

from gigs.db import get_db

bp = Blueprint("venues", __name__)


@bp.route("")
def venues():
    rows = get_db().execute("SELECT slug, name, city FROM venues ORDER BY id LIMIT 100").fetchall()
    return jsonify([dict(row) for row in rows])


@bp.route("/<slug>")
def venue(slug):
    row = get_db().execute("SELECT slug, name, city FROM venues WHERE slug = ?", (slug,)).fetchone()
    if row is None:
        abort(404)
    return jsonify(dict(row))


@bp.route("/<slug>/shows")
def shows_at(slug):
    venue = get_db().execute("SELECT id, name FROM venues WHERE slug = ?", (slug,)).fetchone()
    if venue is None:
        abort(404)
    rows = get_db().execute("SELECT title, day FROM shows WHERE venue_id = ? ORDER BY day LIMIT 20", (venue["id"],))
    return jsonify(venue=venue["name"], shows=[dict(row) for row in rows])


@bp.route("/<slug>/address")
def address(slug):
    rows = get_db().execute("SELECT name, city FROM venues WHERE slug = ?", (slug,)).fetchall()
    if not rows:
        abort(404)
    found = rows[0]
    return jsonify(address=f"{found['name']}, {found['city']}")
