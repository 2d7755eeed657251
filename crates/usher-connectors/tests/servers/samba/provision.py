"""Makes the folder of a small Active Directory domain, which tests copy and start.

usage: provision.py FOLDER PASSWORD

Samba's own module does it; unlike `samba-tool domain provision` it needs no root, because no file gets an ACL.
"""

import logging
import pathlib
import re
import sys

from samba.auth import system_session
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.param import LoadParm
from samba.provision import provision

folder = pathlib.Path(sys.argv[1]).resolve()
folder.mkdir(parents=True, exist_ok=True)
empty = folder / "empty.conf"
empty.write_text("[global]\n")
settings = LoadParm()
settings.load(str(empty))
settings.set("interfaces", "127.0.0.1/8")
settings.set("bind interfaces only", "yes")
provision(
    logging.getLogger("provision"),
    system_session(),
    lp=settings,
    smbconf=str(empty),
    targetdir=str(folder),
    realm="CORP.EXAMPLE",
    domain="CORP",
    hostname="dc1",
    hostip="127.0.0.1",
    adminpass=sys.argv[2],
    dns_backend="NONE",
    serverrole="active directory domain controller",
    dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
    skip_sysvolacl=True,
    batch_mode=True,
)

# Only LDAP is served, nothing lies outside of the folder, and nothing is waited for: the folder is thrown away.
run = folder / "run"
run.mkdir(exist_ok=True)
conf = folder / "etc" / "smb.conf"
lines = {
    "server services": "ldap",
    "ldap server require strong auth": "no",
    "ldb:nosync": "true",
    "log level": "1",
    "log file": f"{run}/log.%m",
    "pid directory": str(run),
    "lock directory": str(run),
    "ncalrpc dir": f"{run}/ncalrpc",
    "ntp signd socket directory": f"{run}/ntp",
    "winbindd socket directory": f"{run}/winbindd",
    "usershare max shares": "0",
    "tls keyfile": f"{folder}/private/tls/key.pem",
    "tls certfile": f"{folder}/private/tls/certificate.pem",
    "tls cafile": f"{folder}/private/tls/ca.pem",
}
text = conf.read_text()
for key in lines:
    text = re.sub(rf"(?m)^\s*{re.escape(key)}\s*=.*\n", "", text)
added = "".join(f"\t{key} = {value}\n" for key, value in lines.items())
conf.write_text(text.replace("[global]\n", f"[global]\n{added}", 1))
