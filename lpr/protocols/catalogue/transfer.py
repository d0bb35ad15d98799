"""File servers. May import this room."""

from __future__ import annotations

from lpr.protocols.catalogue.fact import Proof, ProtocolFact

FACTS = (
    ProtocolFact(
        name="FTP, FTPS",
        role="server",
        section="ftp",
        port="port",
        transport="TCP",
        authentication="people's and machines' accounts",
        encryption="explicit or implicit TLS",
        source="RFC 959, RFC 2228, RFC 2389, RFC 2428, RFC 3659, RFC 4217",
        page="transfer.md",
        verified=(
            Proof("curl", "tests/e2e/test_transfer.py::test_curl_fetches_over_ftp_and_ftps"),
            Proof("lftp", "tests/e2e/test_transfer.py::test_lftp_mirrors_a_day"),
        ),
        unverified=("NVRs that fetch over FTP",),
    ),
    ProtocolFact(
        name="SFTP",
        role="server",
        section="sftp",
        port="port",
        transport="TCP (SSH)",
        authentication="people's and machines' accounts, public keys",
        encryption="SSH",
        source="draft-ietf-secsh-filexfer-02",
        page="transfer.md",
        verified=(Proof("OpenSSH sftp", "tests/e2e/test_transfer.py::test_openssh_fetches_over_sftp"),),
        unverified=("other clients",),
    ),
)
