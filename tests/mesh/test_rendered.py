"""The comparison of what two programs render, which `make rendering` makes of istioctl and Helm."""

from __future__ import annotations

from meshproof.kube.objects import Object
from tests.rendering.rendering import differences, read, unexplained


def test_a_comparison_notices_what_is_lost_added_and_said_otherwise() -> None:
    def service(name: str, **spec: object) -> Object:
        labels = {"app": name, "release": "istio", "helm.sh/chart": "base-1.0.0"}
        return {"kind": "Service", "metadata": {"name": name, "labels": labels}, "spec": spec}

    one, other = service("a", type="ClusterIP"), service("b")
    assert differences([one], [one]) == []
    assert differences([one], [other]) == [
        "Service/a is in the first alone",
        "Service/b is in the second alone",
    ]
    changed = service("a", type="LoadBalancer")
    changed["metadata"]["labels"]["release"] = "istiod"
    assert differences([one], [changed]) == ['Service/a spec.type: "ClusterIP", "LoadBalancer"']


def test_what_configmaps_hold_is_compared_by_what_it_says() -> None:
    def config(text: str) -> Object:
        return {"kind": "ConfigMap", "metadata": {"name": "istio"}, "data": {"mesh": text}}

    assert differences([config("a: 1\nb: 2\n")], [config("b: 2\na: 1\n")]) == []
    found = differences([config("a: 1\n")], [config("a: 2\n")])
    assert found == ["ConfigMap/istio data:mesh.a: 1, 2"]


def test_only_what_an_expression_is_about_in_full_is_explained() -> None:
    known = {r"Role/\S+ is in the second alone": "why"}
    found = ["Role/istiod is in the second alone", "Role/istiod is in the second alone, or so"]
    assert unexplained(found, known) == found[1:]


def test_definitions_of_kinds_are_left_out_of_a_manifest() -> None:
    manifest = """# Source: base
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gateways.networking.istio.io
---
# nothing
---
apiVersion: v1
kind: Service
metadata:
  name: istiod
"""
    assert [one["metadata"]["name"] for one in read(manifest)] == ["istiod"]
    kinds = read(manifest, kinds=True)
    assert [one["metadata"]["name"] for one in kinds] == ["gateways.networking.istio.io"]
