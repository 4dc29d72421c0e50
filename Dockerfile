# The Sightline jar behind spark-submit, with the Python and the Java that it needs. docs/containers.md explains it.
# Targets: cpu (the last one, so the default), cuda, jupyter and mlflow. Build after `make wheel`, or by `make images`.
#
# Any image of Debian 12 with Python 3.11 and its venv module, by tag or by digest.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS uv
WORKDIR /build
COPY requirements.lock ./
# The lock holds versions and hashes of what the wheel and its extras ask for; uv comes from it too.
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock > uv.lock \
    && python3 -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --require-hashes --no-deps -r uv.lock \
    && python3 -m venv --without-pip /opt/sightline
ENV VIRTUAL_ENV=/opt/sightline UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1

FROM uv AS packages-cpu
ARG EXTRAS=cpu,spark,report,track
COPY dist/sightline-*-py3-none-any.whl ./
COPY deploy/install.sh ./
RUN ./install.sh "${EXTRAS}" requirements.lock

FROM uv AS packages-cuda
ARG EXTRAS_CUDA=gpu,spark,torch,report,track
COPY dist/sightline-*-py3-none-any.whl ./
COPY deploy/install.sh deploy/cuda.lock ./
RUN ./install.sh "${EXTRAS_CUDA}" requirements.lock cuda.lock

FROM packages-cpu AS packages-jupyter
COPY deploy/jupyter.lock ./
RUN /opt/uv/bin/uv pip install --require-hashes -r jupyter.lock

FROM uv AS packages-mlflow
COPY tests/mlflow.lock ./
RUN /opt/uv/bin/uv pip install --require-hashes -r mlflow.lock

FROM ${BASE} AS user
RUN useradd --create-home --uid 1000 sightline \
    && install --directory --owner=sightline --group=sightline /data /events /mlflow
ENV PATH=/opt/sightline/bin:${PATH}
WORKDIR /data

FROM user AS java
# The JRE's package wants the folder of manual pages, which slim images lack.
RUN mkdir -p /usr/share/man/man1 \
    && apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless=17.* tini=0.19.* \
    && rm -rf /var/lib/apt/lists/*
ENV SPARK_HOME=/opt/sightline/spark PYSPARK_PYTHON=/opt/sightline/bin/python3
COPY --chmod=755 deploy/entrypoint.sh /opt/entrypoint.sh
ENTRYPOINT ["tini", "-s", "--", "/opt/entrypoint.sh"]
CMD ["--help"]
# A blocker of a run in this container: packages, device, model, memory, disk.
HEALTHCHECK --interval=5m --timeout=1m --start-period=1m CMD ["sightline", "doctor", "--json"]
LABEL org.opencontainers.image.title="Sightline" \
      org.opencontainers.image.description="Vision models over large image collections, from Spark" \
      org.opencontainers.image.licenses="MIT"

FROM user AS mlflow
COPY --from=packages-mlflow /opt/sightline /opt/sightline
USER 1000
ENTRYPOINT ["mlflow"]
CMD ["server", "--host", "0.0.0.0", "--port", "5000"]

FROM java AS jupyter
COPY --from=packages-jupyter /opt/sightline /opt/sightline
USER 1000
ENTRYPOINT ["tini", "-s", "--", "jupyter"]
CMD ["lab", "--ip=0.0.0.0", "--no-browser"]

FROM java AS cuda
COPY --from=packages-cuda /opt/sightline /opt/sightline
# What NVIDIA's container runtime gives the container: CUDA's driver, and nvidia-smi for the discovery script.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000

FROM java AS cpu
COPY --from=packages-cpu /opt/sightline /opt/sightline
USER 1000
