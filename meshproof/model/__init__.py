"""Clusters, networks and versions as frozen data; what cannot exist raises when it is made."""

from meshproof.model.behaviour import FEATURES, Behaviour, Level, Profile, check_id
from meshproof.model.capability import Capability
from meshproof.model.clusters import (
    FLAT,
    ISOLATED,
    Cluster,
    Flow,
    Footprint,
    Pair,
    Site,
    Wiring,
    flat,
    isolated,
    wiring_named,
)
from meshproof.model.deployment import Deployment
from meshproof.model.exposure import Exposure
from meshproof.model.fields import clusters_read, machine_fields, member_fields
from meshproof.model.installer import InstalledBy, installer_words, usual_installer
from meshproof.model.known_issue import (
    CONDITIONS,
    KnownIssue,
    Policy,
    Setting,
    applying,
    issue_name,
)
from meshproof.model.machine import Machine
from meshproof.model.member import (
    Gateway,
    Member,
    MeshSpec,
    Mtls,
    Placement,
    Role,
    TopologyError,
)
from meshproof.model.releases import Releases
from meshproof.model.representative import representative
from meshproof.model.request import RunRequest
from meshproof.model.topology import Topology
from meshproof.model.upgrade import Deed, Stage, State, Step, Strategy, Upgrade, revision_of
from meshproof.model.variants import (
    JOINED_ROOTS,
    MESH_NETWORKS,
    ONE_TRUST_DOMAIN,
    REVISION,
    SEVERAL_ROOTS,
    TRUST_DOMAINS,
    TRUST_DOMAINS_APART,
    UNRELATED_ROOTS,
    USUAL_REVISION,
    VARIANTS,
    Variant,
)
from meshproof.model.versions import Version

__all__ = [
    "CONDITIONS",
    "FEATURES",
    "FLAT",
    "ISOLATED",
    "JOINED_ROOTS",
    "MESH_NETWORKS",
    "ONE_TRUST_DOMAIN",
    "REVISION",
    "SEVERAL_ROOTS",
    "TRUST_DOMAINS",
    "TRUST_DOMAINS_APART",
    "UNRELATED_ROOTS",
    "USUAL_REVISION",
    "VARIANTS",
    "Behaviour",
    "Capability",
    "Cluster",
    "Deed",
    "Deployment",
    "Exposure",
    "Flow",
    "Footprint",
    "Gateway",
    "InstalledBy",
    "KnownIssue",
    "Level",
    "Machine",
    "Member",
    "MeshSpec",
    "Mtls",
    "Pair",
    "Placement",
    "Policy",
    "Profile",
    "Releases",
    "Role",
    "RunRequest",
    "Setting",
    "Site",
    "Stage",
    "State",
    "Step",
    "Strategy",
    "Topology",
    "TopologyError",
    "Upgrade",
    "Variant",
    "Version",
    "Wiring",
    "applying",
    "check_id",
    "clusters_read",
    "flat",
    "installer_words",
    "isolated",
    "issue_name",
    "machine_fields",
    "member_fields",
    "representative",
    "revision_of",
    "usual_installer",
    "wiring_named",
]
