"""The images of an installation: its own by its own Dockerfile, the stores' as stand-ins made of the same programs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pymongo

from support.container_engine import ROOT, bootstrap_base, build, building_engine
from support.programs import require_program

IMAGE, BASE = "mailstead:test", "python:3.12-slim"
RELEASE = "v1.0.0"  # what it says of itself, as the workflow of a release has it said
HOST = "mailstead-host:test"  # a Debian with nothing installed, and the packages that setup.sh wants within reach
MONGODB, REDIS, NGINX = "mongo:6.0.5", "redis:7.0.15", "nginx:1.28.0"  # as the compose file calls them

_MONGODB_DOCKERFILE = f"""\
FROM {BASE}
ARG PYMONGO
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends libcurl4 \\
 && pip install --quiet --break-system-packages pymongo==$PYMONGO \\
 && groupadd --gid 999 mongodb && useradd --uid 999 --gid 999 mongodb \\
 && install -d -o mongodb -g mongodb /data/db
COPY --chmod=755 mongod docker-entrypoint.sh mongosh /usr/local/bin/
COPY make_user.py /opt/
VOLUME ["/data/db"]
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mongod"]
"""

# What the image of the same name does at its first start: a server without access control makes the user.
_MONGODB_ENTRYPOINT = """\
#!/bin/bash
set -e
if [ ! -e /data/db/made ]; then
  mongod --dbpath /data/db --fork --logpath /tmp/first.log --bind_ip 127.0.0.1 >/dev/null
  python /opt/make_user.py
  mongod --dbpath /data/db --shutdown >/dev/null
  touch /data/db/made
fi
chown -R mongodb:mongodb /data/db
exec setpriv --reuid mongodb --regid mongodb --clear-groups "$@"
"""

_MAKE_USER = """\
import os
from pymongo import MongoClient
MongoClient("127.0.0.1").admin.command(
    "createUser", os.environ["MONGO_INITDB_ROOT_USERNAME"], pwd=os.environ["MONGO_INITDB_ROOT_PASSWORD"], roles=["root"]
)
"""

# For the shell that the image has: whatever it is asked to evaluate, it asks whether the server answers.
_MONGOSH = """\
#!/usr/bin/python3
from pymongo import MongoClient
MongoClient("127.0.0.1", directConnection=True, serverSelectionTimeoutMS=2000).admin.command("ping")
"""

_REDIS_DOCKERFILE = f"""\
FROM {BASE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends redis-server \\
 && install -d -o redis -g redis /data
VOLUME ["/data"]
CMD ["redis-server"]
"""

_NGINX_DOCKERFILE = f"""\
FROM {BASE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light libnginx-mod-stream curl \\
 && useradd --system nginx
"""

_HOST_DOCKERFILE = f"""\
FROM {BASE}
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends --download-only \\
 docker.io docker-compose ufw curl ca-certificates iptables \\
 && echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe
"""


@dataclass(frozen=True)
class Images:
    """That they are built is what it says."""

    size: int
    base_size: int


def build_images(folder: Path) -> Images:
    """Build what is not built yet, in the tests' own engine; `folder` is for what that takes."""
    mongod = require_program("mongod")
    contexts = {name: folder / name for name in ("mongodb", "redis", "nginx", "host")}
    for context in contexts.values():
        context.mkdir()
    (contexts["mongodb"] / "Dockerfile").write_text(_MONGODB_DOCKERFILE)
    (contexts["mongodb"] / "docker-entrypoint.sh").write_text(_MONGODB_ENTRYPOINT)
    (contexts["mongodb"] / "make_user.py").write_text(_MAKE_USER)
    (contexts["mongodb"] / "mongosh").write_text(_MONGOSH)
    (contexts["mongodb"] / "mongod").write_bytes(mongod.read_bytes())
    (contexts["redis"] / "Dockerfile").write_text(_REDIS_DOCKERFILE)
    (contexts["nginx"] / "Dockerfile").write_text(_NGINX_DOCKERFILE)
    (contexts["host"] / "Dockerfile").write_text(_HOST_DOCKERFILE)
    with building_engine(folder) as engine:
        bootstrap_base(engine, BASE)
        wanted = [
            (contexts["mongodb"], contexts["mongodb"] / "Dockerfile", MONGODB, {"PYMONGO": pymongo.version}),
            (contexts["redis"], contexts["redis"] / "Dockerfile", REDIS, {}),
            (contexts["nginx"], contexts["nginx"] / "Dockerfile", NGINX, {}),
            (contexts["host"], contexts["host"] / "Dockerfile", HOST, {}),
        ]
        with ThreadPoolExecutor() as pool:  # most of it is waiting for packages
            largest = pool.submit(build, engine, ROOT, ROOT / "deploy/Dockerfile", IMAGE, {"VERSION": RELEASE})
            for one in [pool.submit(build, engine, *arguments) for arguments in wanted]:
                one.result()
            largest.result()
        sizes = [int(engine.docker("image", "inspect", "--format={{.Size}}", tag)) for tag in (IMAGE, BASE)]
        engine.docker("image", "prune", "--force")  # what the build before left without a name
    return Images(*sizes)
