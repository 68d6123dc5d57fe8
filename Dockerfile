# The worker's image. `make image` builds it; CONTRIBUTING.md and docs/deploy.md say how.
#
# The base is named by version, and by digest where PYTHON_DIGEST is given: a release gives it, so that the same
# commit makes the same image. Debian and Python are those that the tests run on.
ARG PYTHON_TAG=3.11.14-slim-bookworm
ARG PYTHON_DIGEST=

FROM python:${PYTHON_TAG}${PYTHON_DIGEST:+@${PYTHON_DIGEST}} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# Wheels alone, each by its hash: no compiler is needed here, and none is there. Traces are in it, and load nothing
# unless they are switched on.
COPY requirements/otel.txt requirements/build.txt requirements/
RUN python -m venv --without-pip /opt/relay \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements/build.txt \
    && /opt/build/bin/pip --python /opt/relay/bin/python install --require-hashes --only-binary :all: -r requirements/otel.txt
COPY pyproject.toml README.md LICENSE ./
COPY service/ service/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheel . \
    && /opt/build/bin/pip --python /opt/relay/bin/python install --no-deps --no-index /wheel/*.whl

FROM python:${PYTHON_TAG}${PYTHON_DIGEST:+@${PYTHON_DIGEST}}
ARG PYTHON_TAG
ARG PYTHON_DIGEST
ARG VERSION=0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="holdings-relay" \
      org.opencontainers.image.description="Relays holdings changes from Kafka to FOLIO, ReCAP SCSB and EBSCO HoldingsIQ" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="python:${PYTHON_TAG}" \
      org.opencontainers.image.base.digest="${PYTHON_DIGEST}"
COPY --from=build /opt/relay /opt/relay
# Nothing is written but temporary files: the root file system may be read-only, and bytecode is there already.
ENV PATH=/opt/relay/bin:$PATH HOME=/tmp TMPDIR=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /tmp
# By number, so that a cluster can tell that it is not root.
USER 10001:10001
EXPOSE 8080
# The worker is process 1 itself, without a shell before it, and ends with 0 on this signal.
STOPSIGNAL SIGTERM
ENTRYPOINT ["holdings-relay"]
CMD ["run"]
