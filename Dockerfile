# parknews in a container: docs/howto/run-in-a-container.md
# Build arguments name another base or package index where the usual ones cannot be reached; none is named here.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python -m venv /opt/parknews
COPY requirements/runtime.lock requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf,required=false \
    /opt/parknews/bin/pip install --require-hashes --only-binary=:all: -r requirements/runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY crawler crawler
COPY scheduler scheduler
COPY store store
COPY digest digest
RUN /opt/parknews/bin/pip install --no-index --no-deps --no-build-isolation . \
    && /opt/parknews/bin/pip uninstall --yes pip

FROM ${PYTHON}
ENV PATH=/opt/parknews/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PARKNEWS_CONFIG=/office/parknews.toml SCRAPY_SETTINGS_MODULE=crawler.settings
RUN useradd --uid 10001 --shell /usr/sbin/nologin --home-dir /office --create-home parknews
COPY --from=build /opt/parknews /opt/parknews
WORKDIR /office
VOLUME /office
USER parknews
STOPSIGNAL SIGTERM
ENTRYPOINT ["parknews"]
CMD ["daemon"]
