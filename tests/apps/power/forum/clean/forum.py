import os
from decimal import Decimal, InvalidOperation

from flask import Flask, abort, jsonify, make_response, request
from flask.views import MethodView
from flask_compress import Compress
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", "sqlite:///forum.db")
db = SQLAlchemy(app)
Compress(app)


@app.after_request
def careful(answer):
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
    answer.headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    return answer



class Thread(db.Model):
    __tablename__ = "threads"

    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(200), nullable=False)
    score = db.Column(db.Integer, default=0)


class Post(db.Model):
    __tablename__ = "posts"

    id = db.Column(db.Integer, primary_key=True)
    thread_id = db.Column(db.Integer, db.ForeignKey("threads.id"), nullable=False, index=True)
    author = db.Column(db.String(50), nullable=False, index=True)
    text = db.Column(db.String(2000), nullable=False)


with app.app_context():
    db.create_all()

ORDERS = {"new": Thread.id.desc(), "old": Thread.id, "best": Thread.score.desc()}


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/threads")
def threads():
    order = ORDERS.get(request.args.get("sort", "new"))
    if order is None:
        abort(400)
    return jsonify([{"thread_id": each.id, "title": each.title} for each in Thread.query.order_by(order).limit(60)])


class Threads(MethodView):
    def get(self, thread_id):
        thread = db.session.get(Thread, thread_id) if thread_id < 2**63 else None
        if thread is None:
            return jsonify(error="no such thread"), 404
        return jsonify(title=thread.title, score=thread.score)

    def put(self, thread_id):
        thread = db.session.get(Thread, thread_id % 1_000_000)
        if thread is None:
            return jsonify(error="no such thread"), 404
        sent = request.get_json()
        if not isinstance(sent, dict):
            abort(400)
        thread.title = str(sent.get("title") or "untitled")[:200]
        db.session.commit()
        return jsonify(title=thread.title)


class FirstPost(MethodView):
    def get(self, thread_id):
        post = Post.query.filter_by(thread_id=thread_id % 1_000_000).order_by(Post.id).first()
        if post is None:
            return jsonify(error="no such thread"), 404
        return jsonify(author=post.author, text=post.text)


app.add_url_rule("/threads/<int:thread_id>", view_func=Threads.as_view("thread"))
app.add_url_rule("/threads/<int:thread_id>/first", view_func=FirstPost.as_view("first"))


@app.get("/posts/<int:post_id>")
def post(post_id):
    found = Post.query.filter_by(id=post_id).first() if post_id < 2**63 else None
    if found is None:
        return jsonify(error="no such post"), 404
    return jsonify(author=found.author, text=found.text)


@app.get("/authors/<name>")
def author(name):
    posts = Post.query.filter_by(author=name).order_by(Post.id).limit(20).all()
    return jsonify(posts=[each.text for each in posts])


@app.get("/authors/<name>/newest")
def newest(name):
    found = Post.query.filter_by(author=name).order_by(Post.id.desc()).limit(1).one_or_none()
    if found is None:
        abort(404)
    return jsonify(text=found.text)


@app.get("/share")
def share():
    try:
        amount = Decimal(request.args.get("amount", "10"))
    except InvalidOperation:
        abort(400)
    if not amount.is_finite():
        abort(400)
    return jsonify(cents=str((amount * 100).quantize(Decimal(1)) if abs(amount) < 10**9 else 0))


@app.get("/enter")
def enter():
    answer = make_response(jsonify(welcome=True))
    answer.set_cookie("auth_token", "guest", samesite="Lax", httponly=True)
    return answer
