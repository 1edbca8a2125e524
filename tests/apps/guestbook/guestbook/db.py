import sqlite3

import click
from flask import current_app, g


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"])
        g.db.row_factory = sqlite3.Row
    return g.db


def close_db(error=None):
    db = g.pop("db", None)
    if db is not None:
        db.close()


@click.command("init-db")
def init_db():
    """Drop the tables and make them anew."""
    with current_app.open_resource("schema.sql") as file:
        get_db().executescript(file.read().decode())
    click.echo("The database is ready.")


def init_app(app):
    app.teardown_appcontext(close_db)
    app.cli.add_command(init_db)
