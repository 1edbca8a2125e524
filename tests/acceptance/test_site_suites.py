"""The bundled site's own test suites, on the dependencies that its releases run on."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from candidates import opened

from aiimprove.build import sources

if TYPE_CHECKING:
    from bench.site import Site

pytestmark = pytest.mark.site
FEWEST = {"backend": 100, "frontend": 50}


@pytest.mark.parametrize("service", ["backend", "frontend"])
def test_every_test_of_a_service_passes(site: Site, service: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    with opened(site) as workspace:
        release = workspace.live()
        folder = sources(workspace.config, workspace.repository, release.commit, tmp_path / "tree", service)
        built = workspace.config.services[service].artifact
        if built:  # tests of the built site are tests of what serves
            (folder / built).parent.mkdir(exist_ok=True)
            (folder / built).symlink_to(workspace.config.state_folder / "artifacts" / release.services[service])
        python = workspace.config.state_folder / "dependencies" / release.dependencies[service] / "bin" / "python"
        words = [word.format(python=python, report=report) for word in workspace.config.services[service].test]
    done = subprocess.run(words, cwd=folder, env=site.env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    cases = ElementTree.parse(report).getroot().findall(".//testcase")
    assert len(cases) >= FEWEST[service] and not [case for case in cases if case.find("skipped") is not None]


def test_the_front_end_is_typed(site: Site, tmp_path: Path) -> None:
    with opened(site) as workspace:
        folder = sources(workspace.config, workspace.repository, workspace.live().commit, tmp_path, "frontend")
    done = subprocess.run(["npm", "run", "--silent", "typecheck"], cwd=folder, env=site.env, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
