"""The matrix: which deployments there are, which of them a test runs on, and in which order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.artifacts import checkout_version
from meshproof.errors import UsageError
from meshproof.files import topology_named
from meshproof.model import InstalledBy, Mtls, Releases, RunRequest, Version
from meshproof.resources import resource
from meshproof.run.selection import Selection
from meshproof.runner.matrix import Matrix

HEAD = """
import pytest

@pytest.fixture
def sample(request):
    return request.param

@pytest.fixture
def caller(request):
    return request.param
"""
FLAT, SPLIT = "primary-remote-flat", "primary-remote-split-horizon"
PRIMARIES, MIXED, PUSHED = "multi-primary-flat", "mixed-networks", "host-pushed-mesh"
BOTH = ("--meshproof-topology", FLAT, "--meshproof-topology", SPLIT)
OLD, NEW, KUBERNETES = Version(1, 31, 0), Version(1, 31, 1), Version(1, 36, 3)


def matrix(*names: str, **changes: object) -> Matrix:
    defaults: dict[str, object] = {
        "topologies": tuple(topology_named(name) for name in names),
        "releases": (Releases(NEW),),
        "kubernetes": KUBERNETES,
    }
    return Matrix(**(defaults | changes))  # type: ignore[arg-type]


def selection(**said: object) -> Selection:
    return Selection(RunRequest(**said))  # type: ignore[arg-type]


def ids(found: Matrix) -> list[str]:
    return [str(one) for one in found.deployments]


def test_by_default_strict_and_those_that_stand_for_others_in_everything_else() -> None:
    assert ids(matrix(SPLIT, FLAT, PRIMARIES)) == [
        f"{SPLIT}+1.31.1+strict",
        f"{FLAT}+1.31.1+strict",
        f"{FLAT}+1.31.1+permissive",
        f"{FLAT}+1.31.1+disabled",
        f"{FLAT}+1.31.1+strict+rev-canary",
        f"{PRIMARIES}+1.31.1+strict",
        f"{PRIMARIES}+1.31.1+disabled",
        f"{PRIMARIES}+1.31.1+strict+unrelated-roots",
        f"{PRIMARIES}+1.31.1+disabled+unrelated-roots",
    ]


def test_modes_that_are_named_replace_the_default_ones_and_versions_multiply() -> None:
    found = matrix(FLAT, SPLIT, mtls=(Mtls.PERMISSIVE,), releases=(Releases(OLD), Releases(NEW)))
    assert ids(found) == [
        f"{name}+{version}+permissive" for name in (FLAT, SPLIT) for version in (OLD, NEW)
    ]


def test_a_variant_that_is_named_comes_in_addition_where_it_can_be() -> None:
    found = ids(matrix(FLAT, SPLIT, variants=("mesh-networks",)))
    assert f"{SPLIT}+1.31.1+strict+mesh-networks" in found
    assert not any("mesh-networks" in one for one in found if one.startswith(FLAT))
    assert set(ids(matrix(FLAT, SPLIT))) < set(found)


def test_with_a_mode_and_a_variant_named_there_are_these_alone() -> None:
    found = matrix(FLAT, mtls=(Mtls.DISABLED,), variants=("revision",), revision="blue")
    assert ids(found) == [f"{FLAT}+1.31.1+disabled", f"{FLAT}+1.31.1+disabled+rev-blue"]


def test_in_full_everything_is_multiplied_that_can_be() -> None:
    found = ids(matrix(FLAT, SPLIT, PRIMARIES, full=True))
    variants = {FLAT: 2, SPLIT: 3, PRIMARIES: 5}
    for name, count in variants.items():
        assert len([one for one in found if one.startswith(f"{name}+")]) == 3 * (1 + count)
    narrowed = matrix(FLAT, SPLIT, full=True, mtls=(Mtls.STRICT,), variants=("mesh-networks",))
    assert ids(narrowed) == [
        f"{FLAT}+1.31.1+strict",
        f"{SPLIT}+1.31.1+strict",
        f"{SPLIT}+1.31.1+strict+mesh-networks",
    ]


PLAINEST = "multi-primary-split-horizon"
SHORT = (MIXED, PRIMARIES, PLAINEST, FLAT, SPLIT)


def strict(name: str) -> str:
    return f"{name}+1.31.1+strict{'+helm' if name == MIXED else ''}"


@pytest.mark.parametrize(
    ("marks", "judged"),
    [
        ([], [f"{PLAINEST}+1.31.1+strict"]),
        ([pytest.mark.networks(1)], [f"{FLAT}+1.31.1+strict"]),
        ([pytest.mark.primaries(2), pytest.mark.networks(1)], [f"{PRIMARIES}+1.31.1+strict"]),
        ([pytest.mark.topology(MIXED, SPLIT)], [f"{MIXED}+1.31.1+strict+helm"]),
        ([pytest.mark.mtls("strict", "disabled")], [
            f"{PLAINEST}+1.31.1+strict",
            f"{FLAT}+1.31.1+disabled",
        ]),
        ([pytest.mark.variant("revision")], [
            f"{PLAINEST}+1.31.1+strict",
            f"{FLAT}+1.31.1+strict+rev-canary",
        ]),
        ([pytest.mark.topology("zones")], []),
        ([pytest.mark.each_topology], [strict(name) for name in SHORT]),
        ([pytest.mark.each_topology, pytest.mark.networks(2)], [
            strict(name) for name in (MIXED, PLAINEST, SPLIT)
        ]),
    ],
)  # fmt: skip
def test_in_short_one_stands_for_the_others_but_in_what_is_each_topologys_own(
    marks: list[pytest.MarkDecorator], judged: list[str]
) -> None:
    found = matrix(*SHORT, in_short=True)
    bare, _ = found.place([one.mark for one in marks], None)
    assert sorted(map(str, bare)) == sorted(judged)
    in_full, _ = matrix(*SHORT).place([one.mark for one in marks], None)
    assert set(bare) <= set(in_full) and bool(bare) is bool(in_full)


def test_a_part_of_what_is_judged_in_short_is_no_more_than_that() -> None:
    others, own = f"{FLAT}+1.31.1+strict", f"{PLAINEST}+1.31.1+strict"
    alone = {name: matrix(*SHORT, in_short=True, only=(name,)) for name in (others, own)}
    assert [str(one) for one in alone[own].place([], None)[0]] == [own]
    assert alone[others].place([], None)[0] == ()


def test_of_each_istio_one_stands_for_the_others() -> None:
    found = matrix(FLAT, PLAINEST, in_short=True, releases=(Releases(OLD), Releases(NEW)))
    judged, _ = found.place([], None)
    assert sorted(map(str, judged)) == [f"{PLAINEST}+{version}+strict" for version in (OLD, NEW)]


def test_one_topology_is_installed_by_helm_unless_another_installer_is_asked_for() -> None:
    by_itself = Matrix.of(selection(topology=(MIXED, FLAT)), KUBERNETES)
    helms = [one for one in by_itself.deployments if one.installed_by is InstalledBy.HELM]
    assert [str(one) for one in helms] == [f"{MIXED}+1.31.1+strict+helm"]
    for by in (InstalledBy.ISTIOCTL, InstalledBy.HELM):
        asked = Matrix.of(selection(topology=(MIXED, FLAT), installer=by.value), KUBERNETES)
        assert {one.installed_by for one in asked.deployments} == {by}
        assert all(name.endswith("+helm") is (by is InstalledBy.HELM) for name in ids(asked))


def test_a_mesh_is_pushed_where_a_host_manages_all_of_it() -> None:
    by_itself = Matrix.of(selection(topology=(PUSHED,)), KUBERNETES)
    assert ids(by_itself) == [f"{PUSHED}+1.31.1+strict+pushed"]
    asked = Matrix.of(selection(topology=("host-member",), installer="pushed"), KUBERNETES)
    assert ids(asked) == ["host-member+1.31.1+strict+pushed"]


def test_what_is_upgraded_is_installed_by_istioctl() -> None:
    asked = selection(topology=(MIXED,), istio=("1.31.0",), upgrade_to="1.31.1")
    found = Matrix.of(asked, KUBERNETES).deployments
    assert [one.installed_by for one in found] == [InstalledBy.ISTIOCTL]


def test_helm_is_wanted_where_something_is_installed_by_it_alone() -> None:
    assert selection(topology=(FLAT,)).choices.helm is False
    assert selection(topology=(FLAT,), installer="helm").choices.helm is True
    assert selection(topology=(MIXED, FLAT)).choices.helm is True
    assert selection(topology=(MIXED,), installer="istioctl").choices.helm is False
    helms = f"{MIXED}+1.31.1+strict+helm"
    cases: list[tuple[dict[str, object], bool]] = [
        ({"only": "a/test.py::test_it"}, True),
        ({"only": f"a/test.py::test_it[{FLAT}+1.31.1+strict-from-east]"}, False),
        ({"only": f"a/test.py::test_it[{helms}-from-east]"}, True),
        ({"deployment": (f"{FLAT}+1.31.1+strict",)}, False),
        ({"deployment": (helms,)}, True),
    ]
    for said, wanted in cases:
        assert selection(**said).choices.helm is wanted, said


def test_versions_by_cluster_are_told_by_cluster_and_equal_ones_once() -> None:
    apart = selection(topology=(PRIMARIES,), istio=("east=1.31.0", "west=1.31.1,east=1.31.0"))
    mixed = Matrix.of(apart, KUBERNETES).deployments[0]
    assert str(mixed) == f"{PRIMARIES}+east-1.31.0-west-1.31.1+strict"
    assert dict(mixed.istio) == {"east": OLD, "west": NEW}
    assert len(Matrix.of(apart, KUBERNETES).deployments) == len(matrix(PRIMARIES).deployments)


def test_the_revision_is_told_to_the_variant_alone() -> None:
    found = Matrix.of(selection(topology=(SPLIT,), revision="blue"), KUBERNETES).deployments
    assert [one.revision for one in found] == ["", "blue"]
    assert str(found[1]).endswith("+strict+rev-blue")


def test_in_full_a_revision_is_named_and_drops_no_variant() -> None:
    found = Matrix.of(selection(topology=(SPLIT,), revision="blue", profile="all"), KUBERNETES)
    assert [one.replace("rev-blue", "rev-canary") for one in ids(found)] == ids(
        matrix(SPLIT, full=True)
    )
    assert f"{SPLIT}+1.31.1+strict+rev-blue" in ids(found)
    narrowed = selection(
        topology=(SPLIT,), variant=("mesh-networks",), revision="blue", profile="all"
    )
    variants = {one.variants for one in Matrix.of(narrowed, KUBERNETES).deployments}
    assert variants == {frozenset(), frozenset({"mesh-networks"}), frozenset({"revision"})}


def test_with_a_source_tree_its_istio_is_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module istio.io/istio\n")
    (tmp_path / "VERSION").write_text("1.32\n")
    asked = selection(topology=(FLAT,), checkout=tmp_path)
    assert asked.versions == ()
    found = {one.istio["east"] for one in Matrix.of(asked, KUBERNETES).deployments}
    assert found == {checkout_version(tmp_path)}
    assert str(found.pop()).startswith("1.32.0-checkout.")
    with pytest.raises(UsageError, match="tree's own"):
        selection(topology=(FLAT,), istio=("1.31.0",), checkout=tmp_path).check()


def collected(pytester: pytest.Pytester, body: str, *options: str) -> list[str]:
    pytester.makepyfile(test_it=HEAD + body)
    result = pytester.runpytest_inprocess("--collect-only", "-q", *(options or BOTH))
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


def test_a_test_runs_strict_on_every_topology_and_from_each_cluster(
    pytester: pytest.Pytester,
) -> None:
    found = collected(pytester, "def test_it(sample, caller): pass\n")
    assert found == [
        f"test_it[{name}+1.31.1+strict-from-{cluster}]"
        for name in (FLAT, SPLIT)
        for cluster in ("east", "west")
    ]


def test_no_call_is_made_from_a_cluster_without_workloads(pytester: pytest.Pytester) -> None:
    outside = ("--meshproof-topology", "external-control-plane")
    found = collected(pytester, "def test_it(sample, caller): pass\n", *outside)
    assert [one.rpartition("-from-")[2] for one in found] == ["east]", "west]"]


@pytest.mark.parametrize(
    ("marker", "where"),
    [
        ("networks(1)", [f"{FLAT}+1.31.1+strict"]),
        ("networks(2)", [f"{SPLIT}+1.31.1+strict"]),
        (f"topology('{SPLIT}', reason='it is so')", [f"{SPLIT}+1.31.1+strict"]),
        ("mtls('disabled')", [f"{FLAT}+1.31.1+disabled"]),
        ("only_variant('revision')", [f"{FLAT}+1.31.1+strict+rev-canary"]),
        ("primaries(2)", []),
    ],
)
def test_markers_narrow_where_a_test_runs(
    pytester: pytest.Pytester, marker: str, where: list[str]
) -> None:
    body = f"@pytest.mark.{marker}\ndef test_it(sample): pass\n"
    assert collected(pytester, body) == [f"test_it[{one}]" for one in where]


@pytest.mark.parametrize(
    ("marker", "choices"),
    [("mtls('strikt')", "strict, *"), ("topology('primary-remote')", "*, multi-primary-flat, *")],
)
def test_a_marker_that_says_what_there_is_not_is_an_error(
    pytester: pytest.Pytester, marker: str, choices: str
) -> None:
    pytester.makepyfile(test_it=f"{HEAD}@pytest.mark.{marker}\ndef test_it(sample): pass\n")
    result = pytester.runpytest_inprocess("--collect-only", *BOTH)
    result.stdout.fnmatch_lines([f"*there is no marker {marker}: write one of {choices}"])
    assert result.ret != 0


def test_a_marker_may_name_a_topology_of_ones_own(pytester: pytest.Pytester) -> None:
    mine = pytester.path / "mine.yaml"
    mine.write_text((resource("topologies") / f"{FLAT}.yaml").read_text().replace(FLAT, "mine"))
    body = "@pytest.mark.topology('mine')\ndef test_it(sample): pass\n"
    asked = ("--meshproof-topology", FLAT, f"--meshproof-topology-file={mine}")
    assert collected(pytester, body, *asked) == ["test_it[mine+1.31.1+strict]"]


def test_what_shares_a_mesh_stays_together_and_its_removal_comes_last(
    pytester: pytest.Pytester,
) -> None:
    body = (
        "@pytest.mark.last\ndef test_end(sample): pass\n"
        "@pytest.mark.mtls('strict', 'disabled')\ndef test_it(sample): pass\n"
    )
    assert collected(pytester, body) == [
        f"test_it[{FLAT}+1.31.1+strict]",
        f"test_it[{FLAT}+1.31.1+disabled]",
        f"test_end[{FLAT}+1.31.1+strict]",
        f"test_it[{SPLIT}+1.31.1+strict]",
        f"test_end[{SPLIT}+1.31.1+strict]",
    ]


def test_only_the_topologies_asked_for(pytester: pytest.Pytester) -> None:
    body = "def test_it(sample): pass\n"
    assert collected(pytester, body, "--meshproof-topology", SPLIT) == [
        f"test_it[{SPLIT}+1.31.1+strict]"
    ]


def test_variants_run_what_is_marked_for_them(pytester: pytest.Pytester) -> None:
    body = (
        "@pytest.mark.variant('mesh-networks')\ndef test_both(sample): pass\n"
        "def test_plain(sample): pass\n"
    )
    asked = ("--meshproof-topology", SPLIT, "--meshproof-variant", "mesh-networks")
    assert collected(pytester, body, *asked) == [
        f"test_both[{SPLIT}+1.31.1+strict]",
        f"test_plain[{SPLIT}+1.31.1+strict]",
        f"test_both[{SPLIT}+1.31.1+strict+mesh-networks]",
    ]


ACROSS = '@pytest.mark.networks(2)\ndef test_across(sample):\n    """Calls cross."""\n'
PLAIN = '@pytest.mark.mtls("disabled")\ndef test_plain(sample):\n    """All is plain."""\n'
ANYWHERE = 'def test_it(sample):\n    """Fish swim."""\n'


def record(pytester: pytest.Pytester, kind: str) -> list[dict[str, object]]:
    path = next(pytester.path.glob("reports/*/events.jsonl"))
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [event for event in events if event["kind"] == kind]


def test_what_does_not_apply_is_recorded_and_shown_with_its_reason(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_it=HEAD + ACROSS + PLAIN + ANYWHERE)
    result = pytester.runpytest_inprocess("--meshproof-conformance", *BOTH)
    result.stdout.fnmatch_lines(
        [
            "*Calls cross.*n/a ¹*",
            "*All is plain.*n/a ²*",
            f"n/a ¹ across networks only: {FLAT}+1.31.1+strict",
            f"n/a ² with mTLS disabled only: {SPLIT}+1.31.1+strict",
        ]
    )
    found = record(pytester, "not-applicable")
    told = {(one["test"], one["deployment"]) for one in found if one["told"]}
    assert told == {
        ("test_it.py::test_across", f"{FLAT}+1.31.1+strict"),
        ("test_it.py::test_plain", f"{SPLIT}+1.31.1+strict"),
    }
    assert len(found) == len({(one["test"], one["deployment"]) for one in found})
    revised = [one for one in found if one["deployment"] == f"{FLAT}+1.31.1+strict+rev-canary"]
    assert {one["reason"] for one in revised} == {
        "across networks only",
        "not in the variant revision",
    }


def test_what_applies_to_nothing_is_neither_run_nor_forgotten(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=HEAD + ACROSS)
    result = pytester.runpytest_inprocess(
        "--meshproof-conformance", "-rs", "--meshproof-topology", FLAT
    )
    assert result.ret == 2
    result.stdout.no_fnmatch_line("*skipped*")
    result.stdout.fnmatch_lines(["n/a ¹ across networks only: *"])
    assert not record(pytester, "test")


def test_where_a_mode_alone_is_asked_for_the_record_says_what_does_not_apply(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_it=HEAD + PLAIN + ANYWHERE)
    result = pytester.runpytest_inprocess(
        "--meshproof-conformance", "--meshproof-topology", FLAT, "--meshproof-mtls=disabled"
    )
    result.stdout.no_fnmatch_line("*Fish swim*")
    result.stdout.fnmatch_lines(["Behaviours that apply to nothing asked for: 1; see the record."])
    (one,) = record(pytester, "not-applicable")
    assert (one["sentence"], one["reason"]) == ("Fish swim.", "with mTLS strict only")


ROOTS = """
@pytest.fixture(autouse=True)
def passes(judge):
    from meshproof.expect import Outcome, Verdict
    judge(Verdict(Outcome.PASS, "this", "that"))

@pytest.mark.only_variant('unrelated-roots')
def test_roots(sample): pass

def test_it(sample): pass
"""


def test_where_nothing_is_judged_is_told_and_recorded(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=HEAD + ROOTS)
    asked = ("--meshproof-conformance", "--meshproof-topology", PRIMARIES)
    said = (
        f"nothing is judged on: {PRIMARIES}+1.31.1+disabled, "
        f"{PRIMARIES}+1.31.1+disabled+unrelated-roots"
    )
    result = pytester.runpytest_inprocess(*asked, "--meshproof-variant=unrelated-roots")
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"*{said}"])
    assert said in [one["text"] for one in record(pytester, "notice")]
    pytester.runpytest_inprocess(*asked, "--collect-only").stdout.fnmatch_lines([said])


@pytest.mark.parametrize("more", [(), ("--collect-only",), ("-n2",)])
def test_a_variant_that_is_named_and_leaves_no_test_is_refused(
    pytester: pytest.Pytester, more: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_it=HEAD + ROOTS)
    asked = (
        "--meshproof-conformance",
        "--meshproof-topology",
        PRIMARIES,
        "--meshproof-mtls=permissive",
        "--meshproof-mtls=strict",
    )
    result = pytester.runpytest_subprocess(*asked, "--meshproof-revision=blue", *more)
    assert result.ret == 64
    said = "no test is for the variant revision of what is asked for: choose other topologies *"
    result.stderr.fnmatch_lines([said])
    assert len(result.errlines) == 1
    assert (
        pytester.runpytest_subprocess(
            *asked, "--meshproof-revision=blue", "--meshproof-profile=all", *more
        ).ret
        == 0
    )


def test_a_list_of_tests_leaves_no_record(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=HEAD + ACROSS + ANYWHERE)
    result = pytester.runpytest_inprocess("--meshproof-conformance", "--collect-only", "-q", *BOTH)
    assert result.ret == 0
    assert not (pytester.path / "reports").exists()
