"""Runs every test function below tests/ and writes what came of it as JUnit XML."""

import glob
import importlib.util
import os
import sys
import tempfile
import traceback
from xml.sax.saxutils import quoteattr

os.environ["TINY_DB"] = os.path.join(tempfile.mkdtemp(), "notes.db")
sys.path.insert(0, ".")
cases = []
for path in sorted(glob.glob("tests/test_*.py")):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], os.path.abspath(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in sorted(name for name in vars(module) if name.startswith("test_")):
        try:
            vars(module)[name]()
            said = ""
        except (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, TypeError, ValueError):
            said = f"<failure message={quoteattr(traceback.format_exc())}/>"
        cases.append(f"<testcase classname={quoteattr(module.__name__)} name={quoteattr(name)}>{said}</testcase>")
with open(sys.argv[1], "w") as report:
    report.write(f"<testsuite>{''.join(cases)}</testsuite>")
