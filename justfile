# Short names for what one types while working on aiimprove.

# List the recipes.
default:
    @just --list

# Set up what is missing.
setup:
    ./start_ai_system.sh setup

# Start live, dev, the gateway and the loop.
start:
    ./start_ai_system.sh start

# Stop everything.
stop:
    ./start_ai_system.sh stop

# Set up what the tests need and run them; words are passed on to pytest.
test *words:
    ./start_ai_system.sh test {{words}}

# Style and types.
lint:
    .venv/bin/ruff check .
    .venv/bin/mypy

# Write docs/config.md and docs/commands.md anew.
docs:
    .venv/bin/python docs/generate.py
