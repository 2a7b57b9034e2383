# Habeas without an embedded database: give it DATABASE_URL. The same image runs `serve` and `worker`.
FROM python:3.13-slim-bookworm AS packages
WORKDIR /app
COPY requirements-run.lock ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements-run.lock

FROM python:3.13-slim-bookworm
# Pango is what WeasyPrint draws with; the fonts are for scripts and emoji that the report's own font lacks. Debian's
# newest security update is wanted here, not one version for ever.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
        fonts-noto-core fonts-noto-color-emoji fonts-droid-fallback \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-log-init --create-home --home-dir /var/lib/habeas habeas
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY habeas piccolo_conf.py ./
COPY portal portal
COPY exports exports
COPY admin admin
COPY policies policies
ENV HABEAS_DATA=/var/lib/habeas/data HABEAS_HOST=0.0.0.0 TZ=UTC
USER 10001
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD [".venv/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["./habeas"]
CMD ["serve"]
