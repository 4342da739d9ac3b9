# The server, from pinned wheels, run by a user who owns nothing but its data. No BuildKit needed.
FROM python:3.13-slim AS build
WORKDIR /src
COPY constraints/newest.txt .
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1
RUN python -m venv /build && /build/bin/pip install --constraint newest.txt hatchling
COPY pyproject.toml LICENSE README.md ./
COPY client client
COPY service service
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && python -m venv --without-pip /heartline \
    && /build/bin/pip --python /heartline install --constraint newest.txt "$(ls wheels/*.whl)[redis]"

FROM python:3.13-slim
# The base's pip goes: nothing is to be installed here. No smaller for it, as the base's layer keeps it.
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin heartline \
    && install --directory --owner heartline /data \
    && python -c "import ensurepip, pip, shutil; [shutil.rmtree(tool.__path__[0]) for tool in (ensurepip, pip)]"
COPY --from=build /heartline /heartline
USER heartline
WORKDIR /data
VOLUME /data
ENV PATH=/heartline/bin:$PATH PYTHONUNBUFFERED=1 \
    HEARTLINE_LISTEN=0.0.0.0:50051 HEARTLINE_STORE=sqlite:/data/heartline.db
EXPOSE 50051
HEALTHCHECK --interval=4s --timeout=3s --start-period=10s CMD ["python", "-m", "heartline_service.healthcheck"]
STOPSIGNAL SIGTERM
CMD ["heartline", "serve"]
