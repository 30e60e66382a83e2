# One image for executor, api, notifier, the simulated exchanges and the jobs of docker-compose.yml.
ARG PYTHON=python:3.11.15-slim-trixie

FROM ${PYTHON} AS build
WORKDIR /opt/lockstep
RUN python -m venv .venv
COPY deploy/requirements.lock deploy/
# Wheels only: nothing that was downloaded runs while the image is built.
RUN .venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: \
    --requirement deploy/requirements.lock
COPY . .
# A clone has the modes of whoever made it, and root owns it here: its user must be able to read it.
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation \
        --config-settings editable_mode=compat --editable . \
    && .venv/bin/python -m compileall -q -x '/\.venv/' . \
    && find . -path ./.venv -prune -o -exec chmod a+rX {} +

FROM ${PYTHON}
# pg_dump of the server's version, for `lockstep db backup`.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
ARG RUN_UID=1000
ARG RUN_GID=1000
# The group may be one that Debian has: that of macOS's users is.
RUN test "$RUN_UID" -gt 0 \
    && { getent group "$RUN_GID" || groupadd --gid "$RUN_GID" lockstep; } \
    && useradd --uid "$RUN_UID" --gid "$RUN_GID" --create-home lockstep \
    && install -d -o "$RUN_UID" -g "$RUN_GID" -m 700 /var/lib/lockstep \
    && install -d /etc/lockstep
COPY --from=build /opt/lockstep /opt/lockstep
ENV PATH=/opt/lockstep/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    USER=lockstep
USER lockstep
WORKDIR /opt/lockstep
CMD ["lockstep", "--help"]
