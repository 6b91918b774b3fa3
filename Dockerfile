# anchord in a container: no root, no network, nothing writable but the avatars and its state.
#
#   docker build -t anchord .
#   docker run --network none --cap-drop ALL --security-opt no-new-privileges --read-only \
#     --security-opt seccomp=deploy/seccomp.json \
#     --user "$(id -u):$(id -g)" -v "$PWD/avatars:/usr/share/nginx/html/avatars" anchord
#
# The libraries are pinned by hash. For an image that is the same to the last byte, name the base by
# its digest: --build-arg BASE=debian@sha256:...

ARG BASE=debian:12-slim

FROM ${BASE} AS python
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends python3 >/dev/null \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/*

FROM python AS build
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv >/dev/null
WORKDIR /src
# Where no package index can be reached: put the wheels into ./wheels and build with
# --build-arg PIP_NO_INDEX=1.
COPY LICENSE wheel[s]/* /wheels/
ARG PIP_NO_INDEX PIP_INDEX_URL
# --build-arg WITH=cluster makes an image for the members of a cluster: docs/cluster.md.
ARG WITH
COPY pyproject.toml requirements.runtime.lock requirements.cluster.lock requirements.build.lock README.md LICENSE THIRD_PARTY.md ./
COPY deploy/make-venv deploy/notices.py deploy/
COPY anchord anchord
RUN PIP_FIND_LINKS=/wheels deploy/make-venv /opt/anchord

FROM python
ARG VERSION=unknown
# Of the image, not of anchord: PyAV's wheel carries x264 and x265, see THIRD_PARTY.md before publishing one.
LABEL org.opencontainers.image.title="anchord" \
      org.opencontainers.image.description="Timelines that pin mouth and eye overlays to avatars' faces" \
      org.opencontainers.image.licenses="Apache-2.0 AND GPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /opt/anchord /opt/anchord
RUN ln -s /opt/anchord/bin/anchord /usr/local/bin/anchord \
 && groupadd --system --gid 10001 anchord \
 && useradd --system --uid 10001 --gid anchord --home-dir / --no-create-home --shell /usr/sbin/nologin anchord \
 && install -d -o anchord -g anchord -m 2775 /usr/share/nginx/html/avatars \
 && install -d -m 1777 /run/anchord
# State for `anchord status` and `anchord health`: writable with --read-only too, whoever runs it.
VOLUME /run/anchord
ENV RUNTIME_DIRECTORY=/run/anchord PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER anchord
WORKDIR /usr/share/nginx/html/avatars
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["anchord", "health"]
ENTRYPOINT []
CMD ["anchord", "run"]
