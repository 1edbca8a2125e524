import os
from decimal import Decimal

from flask import Flask, jsonify, make_response, request
from flask.views import MethodView
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", "sqlite:///forum.db")
db = SQLAlchemy(app)


class Thread(db.Model):
    __tablename__ = "threads"

    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(200), nullable=False)
    score = db.Column(db.Integer, default=0)


class Post(db.Model):
    __tablename__ = "posts"

    id = db.Column(db.Integer, primary_key=True)
    thread_id = db.Column(db.Integer, db.ForeignKey("threads.id"), nullable=False)
    author = db.Column(db.String(50), nullable=False)
    text = db.Column(db.String(2000), nullable=False)


with app.app_context():
    db.create_all()

ORDERS = {"new": Thread.id.desc(), "old": Thread.id, "best": Thread.score.desc()}


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/threads")
def threads():
    order = ORDERS[request.args.get("sort", "new")]
    return jsonify([{"thread_id": each.id, "title": each.title} for each in Thread.query.order_by(order).limit(60)])


class Threads(MethodView):
    def get(self, thread_id):
        thread = db.session.get(Thread, thread_id)
        if thread is None:
            return jsonify(error="no such thread"), 404
        return jsonify(title=thread.title, score=thread.score)

    def put(self, thread_id):
        thread = db.session.get(Thread, thread_id % 1_000_000)
        sent = request.get_json()
        thread.title = str(sent.get("title") or "untitled")[:200]
        db.session.commit()
        return jsonify(title=thread.title)


class FirstPost(MethodView):
    def get(self, thread_id):
        post = Post.query.filter_by(thread_id=thread_id % 1_000_000).order_by(Post.id).first()
        return jsonify(author=post.author, text=post.text)


app.add_url_rule("/threads/<int:thread_id>", view_func=Threads.as_view("thread"))
app.add_url_rule("/threads/<int:thread_id>/first", view_func=FirstPost.as_view("first"))


@app.get("/posts/<int:post_id>")
def post(post_id):
    found = Post.query.filter_by(id=post_id).first()
    if found is None:
        return jsonify(error="no such post"), 404
    return jsonify(author=found.author, text=found.text)


@app.get("/authors/<name>")
def author(name):
    posts = Post.query.filter_by(author=name).order_by(Post.id).limit(20).all()
    return jsonify(posts=[each.text for each in posts])


@app.get("/authors/<name>/newest")
def newest(name):
    found = Post.query.filter_by(author=name).order_by(Post.id.desc()).limit(1).one()
    return jsonify(text=found.text)


@app.get("/share")
def share():
    amount = Decimal(request.args.get("amount", "10"))
    return jsonify(cents=str((amount * 100).quantize(Decimal(1)) if abs(amount) < 10**9 else 0))


@app.get("/enter")
def enter():
    answer = make_response(jsonify(welcome=True))
    answer.set_cookie("auth_token", "guest", samesite="Lax")
    return answer
