from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.database import get_db
from app.models import Recipe, Step

router = APIRouter(prefix="/recipes", tags=["recipes"])


class NewRecipe(BaseModel):
    title: str
    minutes: int = 0
    steps: list[str] = []


def shown(recipe: Recipe) -> dict:
    return {"id": recipe.id, "title": recipe.title, "minutes": recipe.minutes,
            "steps": [step.text for step in recipe.steps]}


@router.get("")
def list_recipes(q: str = "", db: Session = Depends(get_db)):
    query = db.query(Recipe)
    if q:
        query = query.filter(Recipe.title.contains(q))
    return [shown(recipe) for recipe in query.order_by(Recipe.id).limit(50)]


@router.get("/{recipe_id}")
def get_recipe(recipe_id: int, db: Session = Depends(get_db)):
    recipe = db.get(Recipe, recipe_id)
    if recipe is None:
        raise HTTPException(404, "no such recipe")
    return shown(recipe)


@router.post("", status_code=201)
def add_recipe(new: NewRecipe, db: Session = Depends(get_db)):
    recipe = Recipe(title=new.title, minutes=new.minutes, steps=[Step(text=text) for text in new.steps])
    db.add(recipe)
    db.commit()
    return shown(recipe)
